/** Runs `sluice proxy tcp` until a signal ends it. */

import {
  createTcpEngine,
  type TcpEngine,
  type TcpEntryPoint,
  type TcpEntryPointCounters,
} from '../../dataplane/index.ts';
import { note, print } from '../output.ts';
import { endingSignal, formatPlace, whyNotStarted } from './running.ts';
import { entryPointOf, type TcpProxyOptions, tableOf } from './tcp-options.ts';
import { type Place, parseEndpoint, parseListen } from './udp-options.ts';

export async function runTcpProxy(
  listen: string,
  endpoints: readonly string[],
  options: TcpProxyOptions,
): Promise<void> {
  try {
    const place = parseListen(listen);
    const entryPoint = entryPointOf(options);
    const services = await Promise.all(endpoints.map(parseEndpoint));
    const onConnection = (record: unknown) => print(JSON.stringify(record));
    const engine = createTcpEngine(options.log ? { onConnection } : {});
    await engine.apply(tableOf(services, options));
    await serve(engine, entryPoint, place, options.grace);
  } catch (error) {
    note(`error: ${whyNotStarted(error, listen, 'tcp')}`);
    process.exitCode = 2;
  }
}

async function serve(
  engine: TcpEngine,
  entryPoint: TcpEntryPoint,
  wanted: Place,
  graceMs: number,
): Promise<void> {
  const ended = endingSignal();
  const onReport = () => print(formatTcpCounters(engine.counters()));
  // Before anyone knows that it runs: unheeded, the signal opens Node's debugger.
  process.on('SIGUSR1', onReport);
  try {
    const places = await engine.open(entryPoint, [{ kind: 'address', ...wanted }]);
    for (const place of places) print(`listening on ${formatPlace(place)}/tcp`);
    await ended;
    const draining = engine.drain(graceMs);
    note(`stopping: waiting up to ${graceMs / 1000} s for open connections`);
    const reset = await draining;
    if (reset > 0) note(`${reset} connections were still open and have been reset`);
    process.off('SIGUSR1', onReport);
    print(formatTcpCounters(engine.counters()));
  } finally {
    await engine.close();
  }
}

/** Counters that are 0 are left out, but for the few that say how it goes. */
const alwaysShown = new Set(['accepted', 'forwarded', 'open', 'bytesIn', 'bytesOut']);

/** A name and a number a line, so that people and scripts can read them. */
function formatTcpCounters(counters: readonly TcpEntryPointCounters[]): string {
  return counters
    .flatMap(({ entryPoint, refused, ended, ...values }) => {
      const named = (word: string, reasons: object) =>
        Object.entries(reasons).map(([reason, value]) => [`${word} ${reason}`, value as number] as const);
      const lines = [...Object.entries(values), ...named('refused', refused), ...named('ended', ended)];
      const shown = lines.filter(([name, value]) => value !== 0 || alwaysShown.has(name));
      return shown.map(([name, value]) => `${entryPoint} ${name} ${value}`);
    })
    .join('\n');
}
