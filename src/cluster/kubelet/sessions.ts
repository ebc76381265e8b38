/** What `kubectl exec`, `attach` and `port-forward` need of a running container. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex, PassThrough, type Readable, type Writable } from 'node:stream';
import { ApiError } from '../../kubernetes/index.ts';
import { findProgram, type PodNetwork, type PodProcess } from '../network/index.ts';
import type { ContainerRun } from './container.ts';
import { whyNotStartable } from './start-plan.ts';

export interface ExecOptions {
  /** May be left out where the pod has one container. */
  readonly container?: string;
  readonly command: readonly string[];
  /** Whether the command's standard input is open. */
  readonly stdin?: boolean;
  /** Runs in a terminal: one output, and what is typed is echoed. */
  readonly tty?: boolean;
}

export interface PodPlace {
  readonly network: PodNetwork;
  readonly networkName: string;
  readonly address: string;
}

export interface AttachedStreams {
  /** Undefined unless the container asks for one (`stdin: true`). */
  readonly stdin: Writable | undefined;
  /** From now on. A reader too slow for what the container writes loses the stream. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The container's exit code. */
  readonly exited: Promise<number>;
}

/** Throws `ApiError` InternalError when the command cannot be started, worded as containerd words it. */
export function execInContainer(
  { network, networkName }: PodPlace,
  run: ContainerRun,
  options: ExecOptions,
): PodProcess {
  const [program = '', ...args] = options.command;
  const failure = whyNotStartable({ ...run.plan, command: [program, ...args] });
  if (failure) {
    const why = `OCI runtime exec failed: exec failed: unable to start container process: ${failure}: unknown`;
    throw new ApiError(
      'InternalError',
      `error executing command in container: failed to exec in container: ${why}`,
    );
  }
  const command = options.tty ? inTerminal(options.command) : ([program, ...args] as [string, ...string[]]);
  return network.spawn(networkName, command, {
    env: { ...run.plan.env, ...(options.tty ? { TERM: 'xterm' } : {}) },
    workingDirectory: run.plan.workingDirectory,
    beside: run.process,
    stdin: options.stdin === true,
  });
}

/** `script` of util-linux makes the terminal. */
function inTerminal(command: readonly string[]): [string, ...string[]] {
  const program = findProgram('script');
  if (!program)
    throw new ApiError('InternalError', 'a terminal needs `script` of util-linux on this machine');
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  return [program, '--quiet', '--flush', '--return', '--echo', 'always', '--command', quoted, '/dev/null'];
}

/** What may wait for a slow reader. */
const maxAttachedBytes = 1024 * 1024;

export function attachToContainer({ process }: ContainerRun): AttachedStreams {
  const tee = (source: Readable) => {
    const copy = new PassThrough({ highWaterMark: maxAttachedBytes });
    const take = (chunk: Buffer) => {
      if (!copy.write(chunk)) copy.destroy(new Error('the reader is too slow'));
    };
    source.on('data', take);
    source.once('close', () => copy.end());
    copy.once('close', () => source.off('data', take));
    return copy;
  };
  const { stdin, stdout: output, stderr: errors } = process;
  return { stdin, stdout: tee(output), stderr: tee(errors), exited: process.exited };
}

/** Relays its standard streams to a port of the pod's own loopback interface. */
const relay = `
  const { stdin, stdout, stderr } = process;
  const socket = require('net').connect(Number(process.argv[1]), '127.0.0.1');
  socket.on('error', (error) => { stderr.write(error.message); process.exitCode = 1; });
  stdin.pipe(socket).pipe(stdout);`;

/**
 * A TCP connection to the pod's port. A program that listens on the pod's 127.0.0.1 only is reached too, where the pod
 * has one. Throws the connection's error, as ECONNREFUSED.
 */
export async function dial({ network, networkName, address }: PodPlace, port: number): Promise<Duplex> {
  const socket: Socket = connect({ host: address, port });
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    const isRefused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
    if (
      !isRefused ||
      network.mode === 'loopback' ||
      !(await network.isBound(networkName, 'tcp', port, 'anywhere'))
    ) {
      throw error;
    }
  }
  const process = network.spawn(networkName, [globalThis.process.execPath, '-e', relay, String(port)], {
    env: {},
    stdin: true,
  });
  const { stdin, stdout: output } = process;
  return Duplex.from({ readable: output, ...(stdin ? { writable: stdin } : {}) });
}
