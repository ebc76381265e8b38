/** Runs `sluice up` as its user would, on a copy of the example tree and on a loopback address of the test's own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../..');
const launcher = join(repository, 'bin/sluice.js');

/** All of 127.0.0.0/8 is this machine: with an address each, runs can share their node ports. */
let lastAddress = 0;
export function ownAddress(): string {
  lastAddress++;
  const bits = (process.pid * 16 + lastAddress) & 0x3f_ff_ff;
  return `127.${64 + (bits >> 16)}.${(bits >> 8) & 255}.${bits & 255 || 1}`;
}

export interface TreeCopy {
  readonly root: string;
  /** Replaces a text in a file; it must be there. */
  edit(file: string, from: string | RegExp, to: string): void;
  write(file: string, content: string): void;
  remove(): void;
}

export const overlay = 'apps/backend/udp-demo/overlays/development';
export const base = 'apps/backend/udp-demo/base';
export const traefikApplication = 'argocd-bootstrap/ingress-controller/traefik-app.yaml';

/** The UDP demo of the example tree, with its built application; or all of its demos. */
export function copyTree(demos: 'udp' | 'all' = 'udp'): TreeCopy {
  const root = mkdtempSync(join(tmpdir(), 'sluice-tree-'));
  const parts =
    demos === 'all'
      ? ['apps', 'argocd-bootstrap/apps']
      : ['apps/backend/udp-demo', 'argocd-bootstrap/apps/udp-demo.yaml'];
  for (const part of [...parts, 'argocd-bootstrap/ingress-controller', 'sluice.yaml']) {
    cpSync(join(repository, part), join(root, part), { recursive: true });
  }
  const path = (file: string) => join(root, file);
  return {
    root,
    edit(file, from, to) {
      const before = readFileSync(path(file), 'utf8');
      const after = before.replace(from, to);
      if (after === before) throw new Error(`${file} does not hold ${String(from)}`);
      writeFileSync(path(file), after);
    },
    write: (file, content) => writeFileSync(path(file), content),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

export interface Run {
  readonly child: ChildProcess;
  readonly address: string;
  /** All that was printed so far, both streams. */
  output(): string;
  stdout(): string;
  /** Resolves with the first line that fits, printed already or yet to come; rejects when the run ends without it. */
  line(pattern: RegExp): Promise<string>;
  /** The same among what is printed after the call. */
  nextLine(pattern: RegExp): Promise<string>;
  /** Resolves with the exit code when the run has ended. */
  readonly exited: Promise<number | null>;
}

export interface RunOptions {
  args?: string[];
  /** Command and arguments that come before node, as `setpriv …`. */
  before?: string[];
  address?: string;
}

export function runSluice(cwd: string, options: RunOptions): Run {
  const address = options.address ?? ownAddress();
  const [program = '', ...args] = [
    ...(options.before ?? []),
    process.execPath,
    launcher,
    ...(options.args ?? []),
  ];
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = new EventEmitter();
  printed.setMaxListeners(100);
  const lines: string[] = [];
  const streams = { stdout: '', stderr: '' };
  let rest = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      streams[name] += text;
      const parts = (rest[name] + text).split('\n');
      rest = { ...rest, [name]: parts.pop() ?? '' };
      for (const line of parts) {
        lines.push(line);
        printed.emit('line', line);
      }
    });
  }
  const exited = new Promise<number | null>((done) => {
    child.on('close', (code) => {
      printed.emit('end');
      done(code);
    });
  });
  const output = () => streams.stderr + streams.stdout;
  const nextLine = (pattern: RegExp) =>
    new Promise<string>((found, failed) => {
      const look = (line: string) => {
        if (!pattern.test(line)) return;
        end();
        found(line);
      };
      const stop = () => {
        end();
        failed(new Error(`the run ended without a line like ${pattern}:\n${output()}`));
      };
      const end = () => {
        printed.off('line', look);
        printed.off('end', stop);
      };
      printed.on('line', look);
      printed.on('end', stop);
    });
  const line = async (pattern: RegExp) => lines.find((text) => pattern.test(text)) ?? nextLine(pattern);
  return { child, address, output, stdout: () => streams.stdout, line, nextLine, exited };
}

/** `sluice up` on a copy of the tree. */
export function runUp(cwd: string, options: RunOptions = {}): Run {
  const address = options.address ?? ownAddress();
  const args = ['up', '--host-address', address, ...(options.args ?? [])];
  return runSluice(cwd, { ...options, address, args });
}

export async function stopRun(run: Run): Promise<number | null> {
  if (run.child.exitCode === null) run.child.kill('SIGINT');
  return run.exited;
}

/** Processes below this one, the nearest first: pids as this process sees them. */
export function descendants(pid: number): number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(Number(name))]),
  );
  const childrenOf = (parent: number) => [...parents.keys()].filter((child) => parents.get(child) === parent);
  const found: number[] = [];
  for (let level = childrenOf(pid); level.length > 0; level = level.flatMap(childrenOf)) found.push(...level);
  return found;
}

function parentOf(pid: number): number | undefined {
  return Number(/^PPid:\s+(\d+)$/m.exec(readProc(pid, 'status'))?.[1]);
}

export const commandOf = (pid: number): string => readProc(pid, 'cmdline').split('\0').join(' ').trim();

/** Whether its parent has been told of its end. Until then threads of it may still hold its sockets open. */
export const isGone = (pid: number): boolean => !existsSync(`/proc/${pid}`);

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** The pods' own processes of a run. */
export function podProcesses(run: Run): number[] {
  return descendants(run.child.pid ?? 0).filter((pid) =>
    /^\S*node \S*udp-demo\/app\/dist\/main\.js/.test(commandOf(pid)),
  );
}

export interface Client {
  readonly socket: Socket;
  /** Sends the text and gives the answer. One at a time. */
  readonly ask: (text: string) => Promise<string>;
  /** Sends `count` numbered datagrams, 32 under way at a time, and resolves when each was answered by itself once. */
  readonly askMany: (count: number, word: string) => Promise<void>;
  close(): void;
}

/** A client with one socket, connected to the node port. */
export async function connectClient(address: string, port = 30998): Promise<Client> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  socket.connect(port, address);
  await once(socket, 'connect');
  return {
    socket,
    async ask(text) {
      const answer = once(socket, 'message');
      socket.send(text);
      return String(((await answer) as [Buffer])[0]);
    },
    async askMany(count, word) {
      const waiting = new Set<string>();
      let sent = 0;
      const sendNext = () => {
        if (sent === count) return;
        const text = `${word} ${sent++}`;
        waiting.add(text);
        socket.send(text);
      };
      await new Promise<void>((done, failed) => {
        const receive = (payload: Buffer) => {
          if (!waiting.delete(String(payload)))
            failed(new Error(`an answer nobody waits for: ${String(payload)}`));
          sendNext();
          if (waiting.size > 0) return;
          socket.off('message', receive);
          done();
        };
        socket.on('message', receive);
        for (let index = 0; index < 32; index++) sendNext();
      });
    },
    close: () => socket.close(),
  };
}
