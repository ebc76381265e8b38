/** Counts of durations in buckets about 3 % wide, from a microsecond to over a minute. */

const subBuckets = 32;
const octaves = 27;

export class Histogram {
  readonly #counts = new Float64Array(octaves * subBuckets);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  record(microseconds: number): void {
    this.#counts[bucketOf(microseconds)]! += 1;
    this.#total += 1;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /** The upper edge, in microseconds, of the bucket below which `fraction` of all durations lie. */
  quantile(fraction: number): number {
    let remaining = Math.ceil(this.#total * fraction);
    for (let bucket = 0; bucket < this.#counts.length; bucket += 1) {
      remaining -= this.#counts[bucket] ?? 0;
      if (remaining <= 0) return upperEdge(bucket);
    }
    return upperEdge(this.#counts.length - 1);
  }
}

function bucketOf(microseconds: number): number {
  const whole = Math.max(0, Math.floor(microseconds));
  if (whole < subBuckets) return whole;
  const octave = 31 - Math.clz32(whole) - 5;
  const bucket = (octave + 1) * subBuckets + ((whole >> octave) & (subBuckets - 1));
  return Math.min(bucket, octaves * subBuckets - 1);
}

function upperEdge(bucket: number): number {
  if (bucket < subBuckets) return bucket + 1;
  const octave = Math.floor(bucket / subBuckets) - 1;
  return (subBuckets + (bucket % subBuckets) + 1) * 2 ** octave;
}
