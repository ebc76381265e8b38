/** Quantities as Kubernetes writes them: `128Mi`, `100m`, `0.5`, `1e3`. */

/** The text is not a quantity. Worded as the Kubernetes API server words it. */
export class InvalidQuantity extends Error {
  constructor() {
    super("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    this.name = 'InvalidQuantity';
  }
}

const multipliers: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** In whole units (bytes, cores): `100m` is 0.1, `1Ki` is 1024. Throws `InvalidQuantity`. */
export function parseQuantity(quantity: string | number): number {
  const text = String(quantity);
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)$/.exec(
    text,
  );
  if (!match) throw new InvalidQuantity();
  const [, digits, exponent, suffix = ''] = match;
  const factor = exponent === undefined ? (multipliers[suffix] ?? 1) : 10 ** Number(exponent);
  return Number((Number(digits) * factor).toPrecision(15));
}

/** The shortest form with a decimal suffix for cores (`100m`), a binary one for bytes (`128Mi`). */
export function formatQuantity(value: number, style: 'decimal' | 'binary'): string {
  if (style === 'decimal') return Number.isInteger(value) ? String(value) : `${Math.ceil(value * 1000)}m`;
  for (const suffix of ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki']) {
    const factor = multipliers[suffix] ?? 1;
    if (value !== 0 && value % factor === 0) return `${value / factor}${suffix}`;
  }
  return String(Math.ceil(value));
}
