/** The kubelet's containers as the API server's streams. */

import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { Kubelet } from '../../kubelet/index.ts';
import type {
  AttachOptions,
  ExecOptions,
  ExitStatus,
  LogOptions,
  PodStreams,
  ProcessStreams,
} from './pod-streams.ts';

type ContainerAccess = Pick<Kubelet, 'readLogs' | 'exec' | 'attach' | 'dialPod'>;

export function kubeletStreams(kubelet: ContainerAccess): PodStreams {
  return {
    logs: (namespace, pod, options) => readLogs(kubelet, namespace, pod, options),
    exec: (namespace, pod, options) => exec(kubelet, namespace, pod, options),
    attach: (namespace, pod, options) => attach(kubelet, namespace, pod, options),
    portForward: (namespace, pod, port) => kubelet.dialPod(namespace, pod, port),
  };
}

async function* readLogs(
  kubelet: ContainerAccess,
  namespace: string,
  pod: string,
  { sinceSeconds, sinceTime, ...options }: LogOptions,
): AsyncIterable<Uint8Array> {
  const sinceMs =
    sinceTime !== undefined
      ? Date.parse(sinceTime)
      : sinceSeconds !== undefined
        ? Date.now() - sinceSeconds * 1000
        : undefined;
  const lines = kubelet.readLogs(namespace, pod, { ...options, ...(sinceMs !== undefined && { sinceMs }) });
  for await (const text of lines) yield Buffer.from(text);
}

async function exec(
  kubelet: ContainerAccess,
  namespace: string,
  pod: string,
  options: ExecOptions,
): Promise<ExitStatus> {
  const { container, command, tty, stdin, signal } = options;
  const running = await kubelet.exec(namespace, pod, { container, command, tty, stdin: stdin !== undefined });
  const kill = () => running.kill();
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill, { once: true });
  join(running, options);
  const exitCode = await running.exited;
  await written(running.stdout, running.stderr);
  signal.removeEventListener('abort', kill);
  return { exitCode };
}

/** Ends when the container does, or when the client leaves: the container goes on then. */
async function attach(
  kubelet: ContainerAccess,
  namespace: string,
  pod: string,
  options: AttachOptions,
): Promise<ExitStatus> {
  const streams = await kubelet.attach(namespace, pod, { container: options.container });
  const { signal } = options;
  join(streams, options);
  const left = signal.aborted ? Promise.resolve(0) : once(signal, 'abort').then(() => 0);
  const exitCode = await Promise.race([streams.exited, left]);
  if (signal.aborted) {
    streams.stdout.destroy();
    streams.stderr.destroy();
  } else await written(streams.stdout, streams.stderr);
  return { exitCode };
}

interface ContainerSide {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/** What the client did not ask for is read all the same, or the process would wait for a reader. */
function join({ stdin, stdout, stderr }: ContainerSide, client: ProcessStreams): void {
  if (client.stdin && stdin) {
    stdin.on('error', () => undefined);
    client.stdin.pipe(stdin);
  }
  for (const [from, to] of [
    [stdout, client.stdout],
    [stderr, client.stderr],
  ] as const) {
    from.on('error', () => undefined);
    if (to) from.pipe(to, { end: false });
    else from.resume();
  }
}

/** Resolves when the streams have given all they had. */
async function written(...streams: readonly Readable[]): Promise<void> {
  const unfinished = streams.filter((stream) => !stream.readableEnded && !stream.destroyed);
  await Promise.all(unfinished.map((stream) => once(stream, 'close').catch(() => undefined)));
}
