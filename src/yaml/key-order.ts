/**
 * The order go-yaml v2 gives the keys of a map: letters after everything else, runs of digits by their number.
 * Source: sorter.go of gopkg.in/yaml.v2.
 */
export function compareKeys(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    const left = one.charCodeAt(index);
    const right = other.charCodeAt(index);
    if (left === right) continue;
    if (left > 0x7f || right > 0x7f) return compareRunes(Array.from(one), Array.from(other));
    const leftIsLetter = isAsciiLetter(left);
    const rightIsLetter = isAsciiLetter(right);
    if (leftIsLetter && rightIsLetter) return left - right;
    if (leftIsLetter || rightIsLetter) return rightIsLetter ? -1 : 1;
    return compareRunes(Array.from(one), Array.from(other));
  }
  return one.length - other.length;
}

const isAsciiLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;

const isLetter = (rune: string): boolean => /^\p{L}$/u.test(rune);
const isDigit = (rune: string | undefined): rune is string =>
  rune !== undefined && ((rune >= '0' && rune <= '9') || (rune > '\x7f' && /^\p{Nd}$/u.test(rune)));

function compareRunes(one: readonly string[], other: readonly string[]): number {
  for (let index = 0; index < one.length && index < other.length; index++) {
    const [left, right] = [one[index]!, other[index]!];
    if (left === right) continue;
    const [leftIsLetter, rightIsLetter] = [isLetter(left), isLetter(right)];
    if (leftIsLetter && rightIsLetter) return (left.codePointAt(0) ?? 0) - (right.codePointAt(0) ?? 0);
    if (leftIsLetter || rightIsLetter) return rightIsLetter ? -1 : 1;
    return compareNumbers(one, other, index);
  }
  return one.length - other.length;
}

/** From the first difference on: by the number the digits make, then by how many there are, then by the character. */
function compareNumbers(one: readonly string[], other: readonly string[], from: number): number {
  // A zero that differs counts as a digit of a number that began before it.
  let start = 0n;
  if (one[from] === '0' || other[from] === '0') {
    for (let index = from - 1; index >= 0 && isDigit(one[index]); index--) {
      if (one[index] !== '0') {
        start = 1n;
        break;
      }
    }
  }
  const [left, leftEnd] = readNumber(one, from, start);
  const [right, rightEnd] = readNumber(other, from, start);
  if (left !== right) return left < right ? -1 : 1;
  if (leftEnd !== rightEnd) return leftEnd - rightEnd;
  return (one[from]?.codePointAt(0) ?? 0) - (other[from]?.codePointAt(0) ?? 0);
}

function readNumber(
  runes: readonly string[],
  from: number,
  start: bigint,
): [value: bigint | number, end: number] {
  let end = from;
  let short = Number(start);
  // Fifteen digits fit into a double; more are counted in 64 bits, as Go does.
  for (; end < from + 14 && isAsciiDigit(runes[end]); end++) short = short * 10 + Number(runes[end]);
  if (!isDigit(runes[end])) return [short, end];
  let value = BigInt(short);
  for (let rune = runes[end]; isDigit(rune); rune = runes[++end]) {
    value = BigInt.asIntN(64, value * 10n + BigInt((rune.codePointAt(0) ?? 0) - 0x30));
  }
  return [value, end];
}

const isAsciiDigit = (rune: string | undefined): boolean => rune !== undefined && rune >= '0' && rune <= '9';
