/**
 * How long the first table of a large cluster takes, and one endpoint's change after it, in CPU time of this process: the
 * table alone, and the whole way of a change, with its log, the engines and the statuses. Run with `npm run bench:ingress`.
 */

import { createTcpEngine, createUdpEngine } from '../../src/dataplane/index.ts';
import { logRouting } from '../../src/ingress/log.ts';
import { RoutingState } from '../../src/ingress/routing/incremental/routing-state.ts';
import { createRouteReporter } from '../../src/ingress/status/route-reporter.ts';
import { makeCluster, sliceOf } from './cluster-objects.ts';

const size = { routes: 10_000, endpointsPerRoute: 10 };
const cluster = makeCluster(size);

async function cpuMs(work: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function quantile(values: number[], share: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2);
}

globalThis.gc?.();
const heapBefore = process.memoryUsage().heapUsed;
const state = new RoutingState();
let routing = state.compile();
const firstMs = await cpuMs(() => {
  state.setEntryPoints(cluster.entryPoints);
  for (const { kind, object } of cluster.objects) state.apply(kind, { type: 'ADDED', object });
  routing = state.compile();
});
globalThis.gc?.();
const heapMiB = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;

const log = { info() {}, warn() {}, error() {} };
const report = createRouteReporter({
  statuses: { offer() {}, flush: () => Promise.resolve(), stop() {} },
  events: { record() {}, flush: () => Promise.resolve(), stop() {} },
});
report(routing);
const tcpEngine = createTcpEngine();
const nowhere = { kind: 'address', address: '127.0.0.1', port: 0 } as const;
await tcpEngine.open({ name: 'tcp' }, [nowhere]);
await tcpEngine.apply(routing.table);
/** Of the entry points so many listen: a machine has no ten thousand ports to spare for this. */
const listening = 100;
const udpEngine = await createUdpEngine({});
await udpEngine.apply(routing.table);
for (let index = 0; index < listening; index++) await udpEngine.open({ name: `udp-${2 * index}` }, [nowhere]);

/** CPU of each step after the table. */
const steps: Record<string, number[]> = { log: [], 'UDP engine': [], 'TCP engine': [], statuses: [] };
const whole: Record<string, number[]> = { 'UDP endpoint': [], 'TCP endpoint': [] };
async function follow(before: typeof routing): Promise<number> {
  const took = [
    await cpuMs(() => logRouting(log, before, routing)),
    await cpuMs(() => udpEngine.apply(routing.table)),
    await cpuMs(() => tcpEngine.apply(routing.table)),
    await cpuMs(() => report(routing)),
  ];
  for (const [at, list] of Object.values(steps).entries()) list.push(took[at] ?? 0);
  return took.reduce((sum, one) => sum + one, 0);
}

const changes: Record<string, number[]> = { 'UDP endpoint': [], 'TCP endpoint': [], 'UDP route': [] };
for (let round = 0; round < 200; round++) {
  for (const isUdp of [true, false]) {
    // Every other one of an entry point that listens.
    const index = round % 4 < 2 ? (round * 7) % listening : (round * 37) % (size.routes / 2);
    const number = index * 2 + (isUdp ? 0 : 1);
    const object = sliceOf(`app-${number}`, isUdp, number, size.endpointsPerRoute - 1 - (round % 7));
    const what = isUdp ? 'UDP endpoint' : 'TCP endpoint';
    const before = routing;
    const compileMs = await cpuMs(() => {
      state.apply('endpointslices', { type: 'MODIFIED', object });
      const next = state.compile();
      if (next.table === routing.table) throw new Error('the change made no new table');
      routing = next;
    });
    changes[what]?.push(compileMs);
    whole[what]?.push(compileMs + (await follow(before)));
  }
  const route = cluster.objects.find(({ kind }) => kind === 'ingressrouteudps');
  if (route) {
    const { object } = route;
    const changed = { ...object, metadata: { ...object.metadata, resourceVersion: String(round) } };
    changes['UDP route']?.push(
      await cpuMs(() => {
        state.apply('ingressrouteudps', { type: 'MODIFIED', object: changed });
        routing = state.compile();
      }),
    );
  }
}

const endpoints = size.routes * size.endpointsPerRoute;
console.log(`${size.routes} routes, ${endpoints} endpoints, Node ${process.version}`);
console.log(
  `first table      ${firstMs.toFixed(0)} ms CPU, ${heapMiB.toFixed(0)} MiB of heap for the compiled state`,
);
function print(title: string, rows: Record<string, number[]>): void {
  console.log(title);
  for (const [what, times] of Object.entries(rows)) {
    const [median, most, worst] = [quantile(times, 0.5), quantile(times, 0.95), quantile(times, 1)];
    console.log(`  ${what.padEnd(13)} median ${median} ms, 95 % ${most} ms, worst ${worst} ms CPU`);
  }
}
print('the table after one change', changes);
print('what follows a table', steps);
print('the whole way of one change', whole);
await Promise.all([tcpEngine.close(), udpEngine.close()]);
