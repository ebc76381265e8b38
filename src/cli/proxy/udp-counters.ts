/** Counters as text: a name and a number a line, so that people and scripts can read them. */

import type { UdpEntryPointCounters } from '../../dataplane/index.ts';

/** Counters that are 0 are left out, but for the few that say how it goes. */
const alwaysShown = new Set(['datagramsIn', 'datagramsForwarded', 'datagramsOut', 'sessions']);

export function formatCounters(counters: readonly UdpEntryPointCounters[]): string {
  return counters.flatMap(linesOf).join('\n');
}

function linesOf({
  entryPoint,
  drops,
  endpoints,
  workers,
  sendErrors,
  ...values
}: UdpEntryPointCounters): string[] {
  const shown = Object.entries(values).filter(
    ([name, value]) => typeof value === 'number' && (value !== 0 || alwaysShown.has(name)),
  );
  const lines = shown.map(([name, value]) => `${name} ${value}`);
  for (const [reason, value] of Object.entries(drops)) {
    if (value > 0) lines.push(`dropped ${reason} ${value}`);
  }
  for (const [code, value] of Object.entries(sendErrors)) lines.push(`sendErrors ${code} ${value}`);
  for (const { address, port, datagrams, replies } of endpoints) {
    const host = address.includes(':') ? `[${address}]` : address;
    lines.push(`endpoint ${host}:${port} datagrams ${datagrams} replies ${replies}`);
  }
  if (workers.length > 1) lines.push(`workers ${workers.join(' ')}`);
  return lines.map((line) => `${entryPoint} ${line}`);
}
