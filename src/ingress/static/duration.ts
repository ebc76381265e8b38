/**
 * A Go duration (`1m30s`, `500ms`) or a bare number of seconds, as Traefik's static configuration takes it.
 * Milliseconds, or undefined when it is neither.
 */
export function parseDurationMs(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy)];
  const matched = parts.reduce((length, part) => length + part[0].length, 0);
  if (parts.length === 0 || matched !== text.length) return undefined;
  return parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * unitMs[unit as keyof typeof unitMs],
    0,
  );
}

const unitMs = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
