/** exec and attach: a process's streams over a websocket or SPDY. */

import type { IncomingMessage } from 'node:http';
import { type Duplex, PassThrough, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { ApiError } from '../../../kubernetes/index.ts';
import { readBoolean } from '../request.ts';
import { failureStatus, type Status } from '../status.ts';
import type { ExitStatus, ProcessStreams, TerminalSize } from './pod-streams.ts';
import { SpdyConnection, type SpdyStream } from './spdy/connection.ts';
import { acceptWebSocket, offeredProtocols } from './websocket.ts';

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export function readWantedStreams(query: URLSearchParams): WantedStreams {
  const tty = readBoolean(query, 'tty');
  return {
    stdin: readBoolean(query, 'stdin'),
    stdout: readBoolean(query, 'stdout'),
    // A terminal has one output.
    stderr: readBoolean(query, 'stderr') && !tty,
    tty,
  };
}

/** Runs a process on the streams and tells how it ended. */
export type RunProcess = (streams: ProcessStreams) => Promise<ExitStatus>;

const webSocketProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'channel.k8s.io'];
const spdyProtocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'];

/** Throws as long as nothing is answered. */
export async function serveRemoteCommand(
  upgrade: Upgrade,
  wanted: WantedStreams,
  run: RunProcess,
): Promise<void> {
  const isWebSocket = upgrade.request.headers.upgrade?.toLowerCase() === 'websocket';
  return isWebSocket ? overWebSocket(upgrade, wanted, run) : overSpdy(upgrade, wanted, run);
}

async function exitStatusOf(run: RunProcess, streams: ProcessStreams): Promise<Status> {
  try {
    return statusOfExit(await run(streams));
  } catch (error) {
    return failureStatus(error);
  }
}

/** The Status that kubectl takes the exit code from. */
function statusOfExit({ exitCode, message }: ExitStatus): Status {
  const base = { kind: 'Status', apiVersion: 'v1', metadata: {} } as const;
  if (exitCode === 0 && !message) return { ...base, status: 'Success' };
  if (message) {
    return {
      ...base,
      status: 'Failure',
      reason: 'InternalError',
      message: `Internal error occurred: ${message}`,
      code: 500,
    };
  }
  return {
    ...base,
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

async function overWebSocket(upgrade: Upgrade, wanted: WantedStreams, run: RunProcess): Promise<void> {
  const offered = offeredProtocols(upgrade.request);
  const protocol = webSocketProtocols.find((known) => offered.includes(known));
  if (!protocol) {
    throw new ApiError(
      'BadRequest',
      `unable to upgrade connection: no supported protocol among ${offered.join(', ')}`,
    );
  }
  const webSocket = await acceptWebSocket(upgrade.request, upgrade.socket, upgrade.head, protocol);
  const gone = new AbortController();
  const stdin = wanted.stdin ? new PassThrough() : undefined;
  const resizes = new Resizes();
  webSocket.on('message', (data: Buffer) => {
    const [number, payload] = [data[0], data.subarray(1)];
    if (number === channel.stdin && stdin && !stdin.write(payload)) {
      webSocket.pause();
      stdin.once('drain', () => webSocket.resume());
    } else if (number === channel.resize) resizes.receive(payload);
    else if (number === channel.close && payload[0] === channel.stdin) stdin?.end();
  });
  webSocket.on('error', () => undefined);
  webSocket.once('close', () => {
    gone.abort();
    stdin?.end();
  });
  send(
    webSocket,
    wanted.stdout ? channel.stdout : wanted.stderr ? channel.stderr : channel.error,
    Buffer.alloc(0),
  );
  const status = await exitStatusOf(run, {
    ...(stdin && { stdin }),
    ...(wanted.stdout && { stdout: channelWriter(webSocket, channel.stdout) }),
    ...(wanted.stderr && { stderr: channelWriter(webSocket, channel.stderr) }),
    onResize: (listener) => resizes.listen(listener),
    signal: gone.signal,
  });
  send(webSocket, channel.error, Buffer.from(JSON.stringify(status)));
  webSocket.close(1000);
}

function send(webSocket: WebSocket, number: number, payload: Buffer, done?: (error?: Error) => void): void {
  if (webSocket.readyState !== webSocket.OPEN) done?.();
  else webSocket.send(Buffer.concat([Buffer.of(number), payload]), { binary: true }, done);
}

function channelWriter(webSocket: WebSocket, number: number): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => send(webSocket, number, chunk, () => done()),
  });
}

/** The client's window; the last size is told to whoever listens later. */
class Resizes {
  #last: TerminalSize | undefined;
  readonly #listeners: ((size: TerminalSize) => void)[] = [];

  receive(payload: Buffer): void {
    try {
      const { Width: columns, Height: rows } = JSON.parse(payload.toString()) as {
        Width: number;
        Height: number;
      };
      if (!Number.isInteger(columns) || !Number.isInteger(rows)) return;
      this.#last = { columns, rows };
      for (const listener of this.#listeners) listener(this.#last);
    } catch {
      // Not a size: nothing to do about it.
    }
  }

  listen(listener: (size: TerminalSize) => void): void {
    this.#listeners.push(listener);
    if (this.#last) listener(this.#last);
  }
}

/** How long a client may take to open its streams. */
const streamsTimeoutMs = 30_000;

async function overSpdy({ request, socket }: Upgrade, wanted: WantedStreams, run: RunProcess): Promise<void> {
  const offered = (request.headers['x-stream-protocol-version'] ?? '')
    .toString()
    .split(',')
    .map((name) => name.trim());
  const protocol = spdyProtocols.find((known) => offered.includes(known)) ?? 'v4.channel.k8s.io';
  answerSpdyUpgrade(socket, protocol);
  const gone = new AbortController();
  const streams = new Map<string, SpdyStream>();
  const names = ['error', ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => wanted[name])];
  const opened = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the client opened no streams')), streamsTimeoutMs);
    void new SpdyConnection(socket, {
      onStream: (stream) => {
        streams.set(stream.headers.streamtype ?? '', stream);
        if (!names.every((name) => streams.has(name))) return;
        clearTimeout(timer);
        resolve();
      },
      onClose: () => {
        clearTimeout(timer);
        gone.abort();
        reject(new Error('the client left'));
      },
    });
  });
  try {
    await opened;
  } catch {
    socket.destroy();
    return;
  }
  const resizes = new Resizes();
  streams.get('resize')?.on('data', (chunk: Buffer) => resizes.receive(chunk));
  const pick = (name: 'stdin' | 'stdout' | 'stderr') => (wanted[name] ? streams.get(name) : undefined);
  const [stdin, stdout, stderr] = [pick('stdin'), pick('stdout'), pick('stderr')];
  const status = await exitStatusOf(run, {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    onResize: (listener) => resizes.listen(listener),
    signal: gone.signal,
  });
  streams.get('error')?.end(JSON.stringify(status));
  for (const stream of streams.values()) stream.end();
}

export function answerSpdyUpgrade(socket: Duplex, protocol: string): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
}
