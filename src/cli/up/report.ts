/** What `sluice up` shows of its paths: probes, the table, the commands to try, the counters at the end. */

import { join } from 'node:path';
import Table from 'cli-table3';
import {
  brokenHop,
  type Hop,
  type Laptop,
  type LaptopStatus,
  type ProbeVerdict,
  probePayload,
  probeUdp,
  type UdpPath,
} from '../../laptop/index.ts';
import { note, print, styled } from '../output.ts';
import type { Stages } from './stages.ts';

export interface ProbedPath {
  readonly path: UdpPath;
  /** Where the datagrams stop, before any was sent. */
  readonly broken: Hop | undefined;
  /** Undefined where a hop is broken: nothing was sent. */
  readonly verdict: ProbeVerdict | undefined;
}

/** One datagram through each path that is whole. */
export async function probePaths(
  { paths }: LaptopStatus,
  hostAddress: string,
  stages: Stages,
): Promise<ProbedPath[]> {
  return Promise.all(
    paths.map(async (path) => {
      const broken = brokenHop(path);
      const name = `${path.route} on ${path.entryPoint}`;
      if (broken || path.nodePort === undefined) {
        stages.failed('path', `${name}: broken at ${broken?.name}: ${broken?.detail}`);
        return { path, broken, verdict: undefined };
      }
      const payload = probePayload(path.servicePorts);
      const verdict = await probeUdp({ address: hostAddress, port: path.nodePort, payload });
      const place = `${hostAddress}:${path.nodePort}`;
      if (verdict.kind === 'replied')
        stages.done('probe', `${name}: ${place} answered in ${shownMs(verdict)}`);
      else stages.failed('probe', `${name}: ${place} ${describeFailure(verdict)}`);
      return { path, broken, verdict };
    }),
  );
}

function describeFailure(verdict: Exclude<ProbeVerdict, { kind: 'replied' }>): string {
  if (verdict.kind === 'refused') return 'refused the datagram (ICMP port unreachable)';
  return `did not answer ${verdict.attempts} datagrams: the path is whole up to the pods, no reply came back`;
}

function shownMs({ roundTripMs }: Extract<ProbeVerdict, { kind: 'replied' }>): string {
  return `${roundTripMs.toFixed(2)} ms`;
}

/** Prints the table. Gives whether every path answered. */
export function printReady(
  status: LaptopStatus,
  probed: readonly ProbedPath[],
  hostAddress: string,
): boolean {
  if (probed.length === 0) note('no IngressRouteUDP in this tree: there is no UDP path');
  else print(pathTable(probed, hostAddress));
  const isWhole = probed.every(({ verdict }) => verdict?.kind === 'replied');
  return isWhole && status.deployments.every(({ isRolledOut }) => isRolledOut);
}

/** Columns only, as kubectl prints them. */
const plainBorders = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((part) => [`${side}${part}`, '']),
  ),
);

function pathTable(probed: readonly ProbedPath[], hostAddress: string): string {
  const table = new Table({
    head: ['SERVICE', 'ENTRY POINT', 'NODE PORT', 'PROTOCOL', 'PODS', 'ADDRESS', 'ROUND TRIP'],
    chars: { ...plainBorders, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const { path, broken, verdict } of probed) {
    table.push([
      path.services.join(','),
      path.entryPoint,
      String(path.nodePort ?? '<none>'),
      'UDP',
      `${path.readyPods}/${path.totalPods}`,
      path.nodePort === undefined ? '<none>' : `${hostAddress}:${path.nodePort}`,
      broken
        ? `broken: ${broken.name}`
        : verdict?.kind === 'replied'
          ? shownMs(verdict)
          : (verdict?.kind ?? ''),
    ]);
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** The commands of the guide, ready to paste, for the first path that echoes; and how kubectl finds the cluster. */
export function printTryIt(probed: readonly ProbedPath[], hostAddress: string, stateDirectory: string): void {
  const echoing = probed.find(({ verdict }) => verdict?.kind === 'replied' && verdict.isEcho);
  const port = echoing?.path.nodePort;
  print('');
  print('Try it:');
  if (port !== undefined) {
    print(`  echo "hello udp" | nc -u -w1 ${hostAddress} ${port}`);
    print(`  echo "hello udp" | socat - UDP:${hostAddress}:${port}`);
  }
  print(`  export KUBECONFIG=${join(stateDirectory, 'kubeconfig')}`);
  print('  kubectl get pods --all-namespaces');
  print('');
}

/** What went through each entry point in this run. */
export async function printCounters(laptop: Laptop): Promise<void> {
  const counters = await laptop.counters().catch(() => []);
  for (const { entryPoint, datagramsIn, datagramsForwarded, datagramsOut, drops } of counters) {
    if (datagramsIn === 0) continue;
    const dropped = Object.entries(drops).filter(([, count]) => count > 0);
    const reasons = dropped.map(([reason, count]) => `${count} ${reason}`).join(', ') || '0';
    const text = `${entryPoint}: ${datagramsIn} in, ${datagramsForwarded} forwarded, ${datagramsOut} answered, dropped: ${reasons}`;
    note(styled('dim', text));
  }
}
