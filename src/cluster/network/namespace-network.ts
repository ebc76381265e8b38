/**
 * Each pod in a network namespace of its own, joined to the cluster's bridge by a veth pair. A waiting shell, the
 * sandbox, holds the namespace; the kernel removes the namespace and its link when the last process in it has ended.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { restMarkOf } from './activity.ts';
import { AddressPool, gatewayAddress, prefixLength } from './addresses.ts';
import { readBoundPorts } from './bound-ports.ts';
import { IpBatch } from './ip-batch.ts';
import { NamespacedProcess, type NamespacePrograms } from './namespaced-process.ts';
import type { AddPodOptions, NetworkedPod, PodNetwork } from './pod-network.ts';
import { PodNetworkError } from './pod-network-error.ts';
import type { PodProcess, PodProcessOptions } from './pod-process.ts';
import { findProgram } from './programs.ts';

interface Sandbox {
  readonly pod: NetworkedPod;
  /** Holds the pod's namespaces for as long as it lives. */
  readonly holder: ChildProcessWithoutNullStreams;
  readonly processes: Set<PodProcess>;
}

export class NamespaceNetwork implements PodNetwork {
  readonly mode = 'namespaces';
  readonly gatewayAddress = gatewayAddress;
  private readonly addresses = new AddressPool('10.244');
  private readonly sandboxes = new Map<string, Sandbox>();
  private readonly programs: NamespacePrograms & { readonly ip: string };
  private readonly bridge: IpBatch;
  private lastLink = 0;

  constructor() {
    this.programs = {
      ip: needed('ip'),
      sh: needed('sh'),
      nsenter: needed('nsenter'),
      unshare: needed('unshare'),
      setpriv: needed('setpriv'),
    };
    this.bridge = new IpBatch(this.programs.ip);
  }

  async addPod(name: string, options: AddPodOptions = {}): Promise<NetworkedPod> {
    if (this.sandboxes.has(name)) throw new PodNetworkError(`pod ${name} has a network already`);
    const pod = { name, address: this.addresses.take() };
    const link = `pod${++this.lastLink}`;
    const holder = this.startHolder(pod, link, options.hostname ?? name);
    this.sandboxes.set(name, { pod, holder, processes: new Set() });
    try {
      await whenReady(holder);
      await this.bridge.run(`link set ${link} master sluice0 up`);
      return pod;
    } catch (error) {
      await this.removePod(name);
      throw error;
    }
  }

  private startHolder(pod: NetworkedPod, link: string, hostname: string): ChildProcessWithoutNullStreams {
    const { unshare, sh, ip } = this.programs;
    const script = ['-c', sandboxScript, 'sandbox', ip, hostname, link, pod.address];
    return spawn(unshare, ['--net', '--uts', '--ipc', sh, ...script], { env: {}, stdio: 'pipe' });
  }

  async removePod(name: string): Promise<void> {
    const sandbox = this.sandboxes.get(name);
    if (!sandbox) return;
    this.sandboxes.delete(name);
    const ended: Promise<unknown>[] = [...sandbox.processes].map((process) => {
      process.kill();
      return process.exited;
    });
    if (sandbox.holder.exitCode === null && sandbox.holder.signalCode === null) {
      ended.push(once(sandbox.holder, 'exit'));
      sandbox.holder.kill('SIGKILL');
    }
    await Promise.all(ended);
    this.addresses.release(sandbox.pod.address);
  }

  spawn(name: string, command: readonly [string, ...string[]], options: PodProcessOptions): PodProcess {
    const sandbox = this.sandboxes.get(name);
    if (sandbox?.holder.pid === undefined) throw new PodNetworkError(`pod ${name} has no network`);
    const process = new NamespacedProcess(this.programs, sandbox.holder.pid, command, options);
    sandbox.processes.add(process);
    void process.exited.then(() => sandbox.processes.delete(process));
    return process;
  }

  async isBound(name: string, protocol: 'tcp' | 'udp', port: number, where?: 'anywhere'): Promise<boolean> {
    const sandbox = this.sandboxes.get(name);
    if (!sandbox) return false;
    const reachable = ['0.0.0.0', sandbox.pod.address];
    for (const table of [protocol, `${protocol}6`]) {
      const text = await readFile(`/proc/${sandbox.holder.pid}/net/${table}`, 'utf8').catch(() => '');
      const bound = readBoundPorts(protocol, text).filter((candidate) => candidate.port === port);
      const isReachable = ({ address = '' }) => where === 'anywhere' || reachable.includes(address);
      if (bound.some(isReachable)) return true;
    }
    return false;
  }

  async isDrained(name: string): Promise<boolean> {
    const sandbox = this.sandboxes.get(name);
    if (!sandbox) return true;
    const mark = restMarkOf(sandbox.processes);
    if (mark === undefined) return false;
    for (const table of ['udp', 'udp6']) {
      const text = await readFile(`/proc/${sandbox.holder.pid}/net/${table}`, 'utf8').catch(() => '');
      if (readBoundPorts('udp', text).some(({ queuedBytes }) => queuedBytes > 0)) return false;
    }
    return restMarkOf(sandbox.processes) === mark;
  }

  async close(): Promise<void> {
    await Promise.all([...this.sandboxes.keys()].map((name) => this.removePod(name)));
  }
}

/**
 * The host name by the system call where there is a program for it: its file is root's alone. A pod does without.
 * `netns 1` is the namespace of the cluster's first process. The shell then waits on its standard input: it ends with
 * the cluster process, whatever happens.
 */
const sandboxScript = `ip=$1 hostname=$2 link=$3 address=$4
{ command -p hostname "$hostname" || echo "$hostname" >/proc/sys/kernel/hostname; } 2>/dev/null
"$ip" -batch - <<end || exit 1
link set lo up
link add eth0 mtu 65535 type veth peer name $link mtu 65535 netns 1
addr add $address/${prefixLength} dev eth0
link set eth0 up
route add default via ${gatewayAddress}
end
echo made
read -r _`;

async function whenReady(holder: ChildProcessWithoutNullStreams): Promise<void> {
  let errors = '';
  holder.stderr.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  const outcome = await Promise.race([
    once(holder.stdout, 'data').then(() => 'made'),
    once(holder, 'close').then(
      () => 'the sandbox ended',
      (error: Error) => error.message,
    ),
  ]);
  if (outcome !== 'made')
    throw new PodNetworkError(`cannot make a network namespace: ${errors.trim() || outcome}`);
}

function needed(name: string): string {
  const path = findProgram(name);
  if (!path) throw new PodNetworkError(`there is no \`${name}\` here`);
  return path;
}
