/**
 * How long the first table of a large cluster takes, and one endpoint's change after it, in CPU time of this process. Run
 * with `npm run bench:ingress`.
 */

import { RoutingState } from '../../src/ingress/routing/incremental/routing-state.ts';
import { makeCluster, sliceOf } from './cluster-objects.ts';

const size = { routes: 10_000, endpointsPerRoute: 10 };
const cluster = makeCluster(size);

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
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
const firstMs = cpuMs(() => {
  state.setEntryPoints(cluster.entryPoints);
  for (const { kind, object } of cluster.objects) state.apply(kind, { type: 'ADDED', object });
  routing = state.compile();
});
globalThis.gc?.();
const heapMiB = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;

const changes: Record<string, number[]> = { 'UDP endpoint': [], 'TCP endpoint': [], 'UDP route': [] };
for (let round = 0; round < 200; round++) {
  for (const isUdp of [true, false]) {
    const index = (round * 37) % (size.routes / 2);
    const number = index * 2 + (isUdp ? 0 : 1);
    const object = sliceOf(`app-${number}`, isUdp, number, size.endpointsPerRoute - 1 - (round % 2));
    changes[isUdp ? 'UDP endpoint' : 'TCP endpoint']?.push(
      cpuMs(() => {
        state.apply('endpointslices', { type: 'MODIFIED', object });
        const next = state.compile();
        if (next.table === routing.table) throw new Error('the change made no new table');
        routing = next;
      }),
    );
  }
  const route = cluster.objects.find(({ kind }) => kind === 'ingressrouteudps');
  if (route) {
    const { object } = route;
    const changed = { ...object, metadata: { ...object.metadata, resourceVersion: String(round) } };
    changes['UDP route']?.push(
      cpuMs(() => {
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
for (const [what, times] of Object.entries(changes)) {
  console.log(
    `one ${what.padEnd(13)} median ${quantile(times, 0.5)} ms, 95 % ${quantile(times, 0.95)} ms, worst ${quantile(times, 1)} ms CPU`,
  );
}
