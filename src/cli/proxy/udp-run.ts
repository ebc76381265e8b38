/** Runs `sluice proxy udp` until a signal ends it. */

import { createUdpEngine, type UdpEngine, type UdpEntryPoint } from '../../dataplane/index.ts';
import { note, print } from '../output.ts';
import { endingSignal, formatPlace, whyNotStarted } from './running.ts';
import { formatCounters } from './udp-counters.ts';
import {
  entryPointOf,
  type Place,
  parseEndpoint,
  parseListen,
  tableOf,
  type UdpProxyOptions,
} from './udp-options.ts';

export async function runUdpProxy(
  listen: string,
  endpoints: readonly string[],
  options: UdpProxyOptions,
): Promise<void> {
  try {
    const place = parseListen(listen);
    const entryPoint = entryPointOf(options);
    const services = await Promise.all(endpoints.map(parseEndpoint));
    const engine = await createUdpEngine({
      engine: options.engine,
      log: (level, message) => note(`${level}: ${message}`),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
    });
    await engine.apply(tableOf(services, options));
    await serve(engine, entryPoint, place);
  } catch (error) {
    note(`error: ${whyNotStarted(error, listen, 'udp')}`);
    process.exitCode = 2;
  }
}

async function serve(engine: UdpEngine, entryPoint: UdpEntryPoint, wanted: Place): Promise<void> {
  const ended = endingSignal();
  const onReport = () => print(formatCounters(engine.counters()));
  // Before anyone knows that it runs: unheeded, the signal opens Node's debugger.
  process.on('SIGUSR1', onReport);
  try {
    const places = await engine.open(entryPoint, [{ kind: 'address', ...wanted }]);
    for (const place of places) print(`listening on ${formatPlace(place)}/udp (${engine.kind} engine)`);
    // The workers' sockets alone do not keep the process alive.
    const alive = setInterval(() => {}, 0x7fffffff);
    await ended;
    clearInterval(alive);
    process.off('SIGUSR1', onReport);
    print(formatCounters(engine.counters()));
  } finally {
    await engine.close();
  }
}
