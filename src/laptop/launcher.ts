/**
 * The host's side of `sluice up`: starts the cluster process, lends it ports of this machine, hands it what to run and
 * hears how far it is.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LaunchedCluster, launchInNamespaces } from '../cluster/index.ts';
import type { Service } from '../kubernetes/index.ts';
import { type Channel, type Handle, openChannel } from './channel.ts';
import { bindTcpPort, bindUdpPort } from './host-sockets.ts';
import { type LeftOut, statusOfTheRest, withoutPrivilegedPorts } from './left-out.ts';
import type { Plan } from './plan.ts';
import type { AppliedObject, ClusterSettings, ClusterStart, LogRecord } from './protocol.ts';
import type { LaptopStatus } from './status.ts';
import type { UdpPathCounters } from './udp-counters.ts';

export interface LaptopOptions {
  readonly plan: Plan;
  readonly hostAddress: string;
  /** Logs and other state of this run go here. */
  readonly stateDirectory: string;
  readonly settingsFile: string;
  /** Where objects are kept across runs; absent: in memory only. */
  readonly objectState?: string;
  /** From `launchCluster`. Its child is the caller's to end when the laptop cannot be started. */
  readonly launched: Promise<LaunchedCluster>;
}

export interface Laptop {
  readonly network: 'namespaces' | 'loopback';
  /** Why that network, in a sentence. */
  readonly networkReason: string;
  apply(plan: Plan): Promise<AppliedObject[]>;
  counters(): Promise<readonly UdpPathCounters[]>;
  /** Undefined until the cluster has said something. */
  readonly status: LaptopStatus | undefined;
  /** Gives the function that ends it. */
  onStatus(listener: (status: LaptopStatus) => void): () => void;
  onLog(listener: (record: LogRecord) => void): () => void;
  /** Ends the pods as Kubernetes would, then the cluster process. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  kill(): void;
  /** Resolves when the cluster process is gone, with its exit code or signal. */
  readonly gone: Promise<string>;
}

const launcherPath = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

/**
 * Starts the cluster process, which then waits to be told what to run: it loads its code while the tree is read. Throws
 * `NamespacesUnavailableError` in mode `namespaces` where they are not to be had.
 */
export function launchCluster(mode: 'auto' | 'namespaces' | 'loopback'): Promise<LaunchedCluster> {
  return launchInNamespaces({
    modulePath: fileURLToPath(new URL('./cluster-process.js', import.meta.url)),
    mode,
  });
}

/** Throws `DiagnosticError` (SL4001) when a node port cannot be bound, before any pod is started. */
export async function startLaptop(options: LaptopOptions): Promise<Laptop> {
  const lent = await bindPlannedPorts(options.plan, options.hostAddress);
  try {
    return await startCluster(options, await options.launched, lent);
  } catch (error) {
    for (const handle of lent.values()) handle.close();
    lent.clear();
    throw error;
  }
}

async function startCluster(
  options: LaptopOptions,
  { child, mode, why }: LaunchedCluster,
  lent: Map<string, Handle>,
): Promise<Laptop> {
  const { plan, hostAddress, stateDirectory } = options;
  const logDirectory = join(stateDirectory, 'pods');
  mkdirSync(logDirectory, { recursive: true });
  const gone = whenGone(child).finally(() => {
    // Nobody asked for these: a Service that the API refused, for instance.
    for (const handle of lent.values()) handle.close();
    lent.clear();
  });
  const channel = openChannel(child, {
    bindUdpPort: async ({ port }: { port: number }) => ({
      socket: take(lent, `${port}/UDP`) ?? (await bindUdpPort(hostAddress, port)),
    }),
    bindTcpPort: async ({ port }: { port: number }) => ({
      socket: take(lent, `${port}/TCP`) ?? (await bindTcpPort(hostAddress, port)),
    }),
    // kubectl is of this machine, whatever address the node ports listen on.
    bindApiPort: async () => ({ socket: await bindTcpPort('127.0.0.1', 0) }),
  });
  const { entryPoints: leftOut } = needsRoot(mode) ? withoutPrivilegedPorts(plan).leftOut : plan.leftOut;
  const withoutPorts =
    leftOut.length > 0 ? `; ports below 1024 need root then: without ${leftOut.join(', ')}` : '';
  const laptop = new RunningLaptop(channel, child, gone, mode, `${why}${withoutPorts}`);
  const start: ClusterStart = {
    ...clusterSettings(plan),
    network: mode,
    hostAddress,
    logDirectory,
    stateDirectory,
    ingressCommand: [process.execPath, launcherPath, 'ingress'],
    settingsFile: options.settingsFile,
    ...(options.objectState === undefined ? {} : { objectState: options.objectState }),
  };
  await channel.call('start', start);
  return laptop;
}

function clusterSettings({ entryPoints, ingressService, images }: Plan): ClusterSettings {
  return { entryPoints, ingressService, images };
}

/** Bound before the cluster starts, so that a port that is taken is told at once, with the line that asks for it. */
async function bindPlannedPorts({ objects }: Plan, hostAddress: string): Promise<Map<string, Handle>> {
  const handles = new Map<string, Handle>();
  try {
    for (const planned of objects.filter(({ object }) => object.kind === 'Service')) {
      for (const [index, port] of ((planned.object as Service).spec.ports ?? []).entries()) {
        if (port.nodePort === undefined) continue;
        const bind = port.protocol === 'UDP' ? bindUdpPort : bindTcpPort;
        const position = planned.locate(['spec', 'ports', index, 'nodePort']);
        const handle = await bind(hostAddress, port.nodePort, position);
        handles.set(`${port.nodePort}/${port.protocol ?? 'TCP'}`, handle);
      }
    }
    return handles;
  } catch (error) {
    for (const handle of handles.values()) handle.close();
    throw error;
  }
}

function take(handles: Map<string, Handle>, key: string): Handle | undefined {
  const handle = handles.get(key);
  handles.delete(key);
  return handle;
}

/** Whether ports below 1024 are out of reach for the pods. */
function needsRoot(network: Laptop['network']): boolean {
  return network === 'loopback' && process.getuid?.() !== 0;
}

/** How much of what the cluster process said last is told when it ends by itself. */
const lastWordsLength = 2000;
const lastWordsMs = 200;

function whenGone(child: ChildProcess): Promise<string> {
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-lastWordsLength);
  });
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      const tell = () => resolve(lastWords ? `${how}: ${lastWords.trim()}` : how);
      // Its last words may still be on their way; a pod that outlived it may hold the pipe open.
      child.once('close', tell);
      setTimeout(tell, lastWordsMs);
    });
  });
}

class RunningLaptop implements Laptop {
  readonly network: Laptop['network'];
  readonly networkReason: string;
  readonly gone: Promise<string>;
  status: LaptopStatus | undefined;
  private leftOut: LeftOut = { deployments: [], services: [], entryPoints: [] };
  private readonly channel: Channel;
  private readonly child: ChildProcess;

  constructor(
    channel: Channel,
    child: ChildProcess,
    gone: Promise<string>,
    network: Laptop['network'],
    networkReason: string,
  ) {
    this.channel = channel;
    this.child = child;
    this.gone = gone;
    this.network = network;
    this.networkReason = networkReason;
    this.onStatus((status) => {
      this.status = status;
    });
  }

  async apply(wanted: Plan): Promise<AppliedObject[]> {
    const plan = needsRoot(this.network) ? withoutPrivilegedPorts(wanted) : wanted;
    this.leftOut = plan.leftOut;
    const objects = plan.objects.map(({ object }) => object);
    const { value } = await this.channel.call('apply', { settings: clusterSettings(plan), objects });
    return value as AppliedObject[];
  }

  async counters(): Promise<readonly UdpPathCounters[]> {
    const { value } = await this.channel.call('counters');
    return value as UdpPathCounters[];
  }

  onStatus(listener: (status: LaptopStatus) => void): () => void {
    return this.channel.onNotice('status', (status: LaptopStatus) =>
      listener(statusOfTheRest(status, this.leftOut)),
    );
  }

  onLog(listener: (record: LogRecord) => void): () => void {
    return this.channel.onNotice('log', listener);
  }

  async stop(): Promise<void> {
    await Promise.race([this.channel.call('stop').catch(() => undefined), this.gone]);
    this.kill();
    await this.gone;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
