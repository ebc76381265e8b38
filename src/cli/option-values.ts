/** Readers of option values that several commands share. */

import { InvalidArgumentError, Option } from 'commander';

export function choice(flags: string, description: string, choices: string[], byDefault?: string): Option {
  const option = new Option(flags, description).choices(choices);
  return byDefault === undefined ? option : option.default(byDefault);
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** As Traefik's: `300ms`, `1m30s`, or a bare number of seconds. Milliseconds above zero. */
export function duration(text: string): number {
  const isNumber = /^\d+$/.test(text);
  if (!isNumber && !/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    throw new InvalidArgumentError('It must be a duration, for example 3s, 500ms or 1m30s.');
  }
  const parts = (isNumber ? `${text}s` : text).matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  const totalMs = [...parts].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * unitMs[unit as keyof typeof unitMs],
    0,
  );
  if (totalMs <= 0) throw new InvalidArgumentError('It must be above 0.');
  return totalMs;
}

/** An option with a duration, whose default the help shows as people write it. */
export function durationOption(flags: string, description: string, byDefault: string): Option {
  return new Option(flags, description).argParser(duration).default(duration(byDefault), byDefault);
}

/** Collects. Whether it is a range is checked when the command runs: that needs the data plane's code. */
export function range(text: string, before: string[]): string[] {
  return [...before, ...text.split(',').map((part) => part.trim())];
}
