/**
 * Starts the cluster process where pods can have networks of their own: in a fresh network, PID and mount namespace,
 * and a user namespace where the user is not root. What runs in a PID namespace ends with its first process, by the
 * kernel's hand, so nothing outlives the launcher.
 *
 *     launcher ── unshare ── sh (PID 1: reaps orphans) ── node: the cluster process ── pods
 *
 * `setpriv --pdeathsig` and `unshare --kill-child` chain each to its parent's death. Node cannot be PID 1 itself: it
 * waits only for children it knows.
 */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { clusterCidr, gatewayAddress, prefixLength, serviceCidr } from './addresses.ts';
import { findProgram } from './programs.ts';

export type NetworkMode = 'namespaces' | 'loopback';

export interface LaunchOptions {
  /** The JavaScript module to run. It has an IPC channel to the launcher. */
  readonly modulePath: string;
  /** `auto` takes namespaces where they are to be had. */
  readonly mode: 'auto' | NetworkMode;
  readonly args?: readonly string[];
}

export interface LaunchedCluster {
  /** Its standard output and error are piped; they flow away unless listened to. SIGKILL ends it with all its pods. */
  readonly child: ChildProcess;
  readonly mode: NetworkMode;
  /** Why that mode, in one sentence for the user. */
  readonly why: string;
}

/** Pods cannot have network namespaces here. The message says why and what would help. */
export class NamespacesUnavailableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NamespacesUnavailableError';
  }
}

const namespacesWhy = `each pod has its own network namespace and address (${clusterCidr})`;
const loopbackWhy = 'pods share 127.0.0.0/8, one loopback address each; programs must listen on $POD_IP';

/** Making the namespaces takes milliseconds; a machine that needs longer than this will not do it at all. */
const namespacesTimeoutMs = 5_000;

/** Where the first process says that the namespaces are made. 3 is Node's IPC channel. */
const readyDescriptor = 4;

/** Throws `NamespacesUnavailableError` in mode `namespaces` where they are not to be had. */
export async function launchInNamespaces(options: LaunchOptions): Promise<LaunchedCluster> {
  if (options.mode === 'loopback') return launchOnLoopback(options, loopbackWhy);
  try {
    return { child: await launchNamespaced(options), mode: 'namespaces', why: namespacesWhy };
  } catch (error) {
    if (options.mode === 'namespaces' || !(error instanceof NamespacesUnavailableError)) throw error;
    return launchOnLoopback(options, `${error.message}: ${loopbackWhy}`);
  }
}

async function launchNamespaced(options: LaunchOptions): Promise<ChildProcess> {
  const [program, ...args] = namespacedCommand(options);
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
  });
  let errors = '';
  const collect = (text: Buffer) => {
    errors += text.toString();
  };
  child.stderr?.on('data', collect);
  const ready = child.stdio[readyDescriptor];
  if (!ready) throw new Error('the cluster process has no pipe to say that it is ready');
  const signal = AbortSignal.timeout(namespacesTimeoutMs);
  const outcome = await Promise.race([
    once(ready, 'data', { signal }).then(
      () => 'made',
      () => 'timeout',
    ),
    // `close` and not `exit`: the reason is in what was written before it.
    once(child, 'close').then(
      () => 'ended',
      (error: Error) => error.message,
    ),
  ]);
  child.stderr?.off('data', collect);
  if (outcome === 'made') {
    ready.destroy();
    return flowing(child);
  }
  child.kill('SIGKILL');
  throw new NamespacesUnavailableError(whyUnavailable(errors.trim() || outcome));
}

/** Throws `NamespacesUnavailableError` where a program is missing. */
function namespacedCommand({ modulePath, args = [] }: LaunchOptions): [string, ...string[]] {
  if (process.platform !== 'linux') throw new NamespacesUnavailableError('network namespaces need Linux');
  const [setpriv, unshare, ip, sh] = ['setpriv', 'unshare', 'ip', 'sh'].map((name) => {
    const path = findProgram(name);
    if (path) return path;
    const from = name === 'ip' ? 'iproute2' : 'util-linux';
    throw new NamespacesUnavailableError(`there is no \`${name}\` here (it comes with ${from})`);
  }) as [string, string, string, string];
  const user = isAdministrator() ? [] : ['--user', '--map-root-user'];
  const namespaces = [...user, '--net', '--pid', '--mount', '--mount-proc', '--fork', '--kill-child'];
  const script = ['-c', firstProcessScript, 'sluice', ip, process.execPath, modulePath, ...args];
  return [setpriv, '--pdeathsig', 'KILL', unshare, ...namespaces, sh, ...script];
}

/** Locally administered, with the gateway's IPv4 address in it. */
const bridgeLinkAddress = `02:00:${gatewayAddress
  .split('.')
  .map((part) => Number(part).toString(16).padStart(2, '0'))
  .join(':')}`;

/**
 * The bridge is every pod's gateway. Without a link address of its own it would bear the lowest of its links', another
 * one when pods come and go, and lose what pods send to the one they know until they have asked anew. Service addresses
 * are local to this namespace: the cluster process may bind any of them, and what pods send to them by their default
 * route arrives at its sockets. 65,535 is the largest MTU a link may have: the largest datagram passes unfragmented.
 * `exit $?` keeps the shell from replacing itself by Node.
 */
const firstProcessScript = `ip=$1; shift
"$ip" -batch - <<'end' || exit 1
link set lo up
link add sluice0 address ${bridgeLinkAddress} mtu 65535 type bridge
addr add ${gatewayAddress}/${prefixLength} dev sluice0
link set sluice0 up
route add local ${serviceCidr} dev lo
end
echo made >&${readyDescriptor}
exec ${readyDescriptor}>&-
"$@"
exit $?`;

/** CAP_SYS_ADMIN (21) and CAP_NET_ADMIN (12): root in a container may have neither. */
function isAdministrator(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readOr('/proc/self/status', ''))?.[1] ?? '0';
  const needed = (1n << 21n) | (1n << 12n);
  return (BigInt(`0x${effective}`) & needed) === needed;
}

function whyUnavailable(errors: string): string {
  const first = errors.split('\n')[0] ?? '';
  if (readOr('/proc/sys/kernel/apparmor_restrict_unprivileged_userns', '0').trim() === '1') {
    return `AppArmor keeps ordinary users from user namespaces here (${first}); an AppArmor profile for node, or root, lets them`;
  }
  const limit = readOr('/proc/sys/user/max_user_namespaces', '');
  if (limit.trim() === '0' || readOr('/proc/sys/kernel/unprivileged_userns_clone', '').trim() === '0') {
    return `user namespaces are not allowed here (${first})`;
  }
  return `namespaces are not to be had here (${first})`;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function launchOnLoopback({ modulePath, args = [] }: LaunchOptions, why: string): LaunchedCluster {
  const setpriv = process.platform === 'linux' ? findProgram('setpriv') : undefined;
  const command = [process.execPath, modulePath, ...args];
  const [program, ...rest] = setpriv ? [setpriv, '--pdeathsig', 'KILL', ...command] : command;
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'ipc'];
  // A group of its own: Ctrl-C is for the launcher, which ends the cluster in good order.
  const child = spawn(program ?? process.execPath, rest, { detached: true, stdio });
  return { child: flowing(child), mode: 'loopback', why };
}

/** A pipe that nobody reads would fill up and stop the writer. */
function flowing(child: ChildProcess): ChildProcess {
  child.stdout?.resume();
  child.stderr?.resume();
  return child;
}
