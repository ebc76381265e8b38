import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ExecOptions, ExitStatus, PodStreams } from '../../../src/cluster/index.ts';

/** Streams of processes of this machine, whatever the pod. */
export const processStreams: PodStreams = {
  async *logs(_namespace, pod, { container, follow, tailLines, timestamps, signal }) {
    const stamp = timestamps ? '2026-01-01T00:00:00Z ' : '';
    const lines = ['one', 'two', 'three'].map((line) => `${stamp}${pod}/${container}: ${line}\n`);
    for (const line of lines.slice(-(tailLines ?? lines.length))) yield Buffer.from(line);
    if (follow)
      await Promise.race([once(signal, 'abort'), new Promise((resolve) => setTimeout(resolve, 200))]);
    if (follow && !signal.aborted) yield Buffer.from('later\n');
  },
  exec: (_namespace, _pod, options) => runProcess(options),
  attach: (_namespace, _pod, options) => runProcess({ ...options, command: ['cat'] }),
  async portForward(_namespace, _pod, port): Promise<Duplex> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  },
};

function runProcess({ command, stdin, stdout, stderr, signal }: ExecOptions): Promise<ExitStatus> {
  const [program = '', ...words] = command;
  const child = spawn(program, words, { stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
  signal.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
  if (stdin && child.stdin) {
    child.stdin.on('error', () => undefined);
    stdin.pipe(child.stdin);
  }
  if (stdout) child.stdout?.pipe(stdout, { end: false });
  if (stderr) child.stderr?.pipe(stderr, { end: false });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: 1, message: error.message }));
    child.once('close', (code) => resolve({ exitCode: code ?? 137 }));
  });
}
