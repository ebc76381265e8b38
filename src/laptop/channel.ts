/**
 * Calls and notices between the launcher and the cluster process, over Node's IPC channel. Sockets travel with them:
 * a socket keeps the network namespace it was made in, which is how a port of the host reaches the pods' network.
 */

import type { ChildProcess, Serializable } from 'node:child_process';
import type { Socket } from 'node:dgram';
import type { Server } from 'node:net';

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly argument: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'notice'; readonly name: string; readonly value: unknown };

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}

/** A UDP socket, or a TCP server that listens. */
export type Handle = Socket | Server;

/** What a handler gives back: a value, and a socket where there is one to hand over. */
export interface Answer {
  readonly value?: unknown;
  readonly socket?: Handle;
}

export type Handler = (argument: never) => Promise<Answer> | Answer;

/** The other side refused or failed. `code` is the error's own, as `EADDRINUSE`. */
export class RemoteError extends Error {
  readonly code: string | undefined;

  constructor({ name, message, code }: Failure) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

/** The part of a child process, or of this process, that carries messages. */
type Endpoint = Pick<ChildProcess, 'connected'> & {
  send?: ChildProcess['send'] | undefined;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
};

export interface Channel {
  /** Rejects with `RemoteError` when the other side fails, and when the channel closes before the answer. */
  call(method: string, argument?: unknown): Promise<Answer>;
  notify(name: string, value?: unknown): void;
  /** Gives the function that ends it. */
  onNotice(name: string, listener: (value: never) => void): () => void;
  /** Resolves when the other side is gone. */
  readonly closed: Promise<void>;
}

/** Starts to answer calls with `handlers`. */
export function openChannel(endpoint: Endpoint, handlers: Readonly<Record<string, Handler>>): Channel {
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  const listeners = new Map<string, Set<(value: never) => void>>();
  let lastId = 0;

  const send = (message: Message, socket?: Handle) => {
    if (!endpoint.connected) {
      socket?.close();
      return;
    }
    // The receiver owns the socket from here: a copy left open would take datagrams away from it.
    endpoint.send?.(message as Serializable, socket, () => socket?.close());
  };
  const answer = async (id: number, method: string, argument: unknown) => {
    try {
      const handler = handlers[method];
      if (!handler) throw new Error(`no handler for ${method}`);
      const { value, socket } = await handler(argument as never);
      send({ kind: 'result', id, value }, socket);
    } catch (error) {
      send({ kind: 'failure', id, failure: describeFailure(error) });
    }
  };
  const receive = (message: Message, socket: Handle | undefined) => {
    if (message.kind === 'call') void answer(message.id, message.method, message.argument);
    else if (message.kind === 'notice') {
      for (const listener of new Set(listeners.get(message.name))) listener(message.value as never);
    } else {
      const caller = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.kind === 'failure') caller?.reject(new RemoteError(message.failure));
      else caller?.resolve({ value: message.value, ...(socket ? { socket } : {}) });
    }
  };

  endpoint.on('message', (message, handle) => receive(message as Message, handle as Handle | undefined));
  const closed = new Promise<void>((resolve) => {
    endpoint.on('disconnect', () => {
      for (const { reject } of waiting.values()) reject(new Error('the other process is gone'));
      waiting.clear();
      resolve();
    });
  });
  return {
    closed,
    call: (method, argument) =>
      new Promise((resolve, reject) => {
        if (!endpoint.connected) {
          reject(new Error('the other process is gone'));
          return;
        }
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        send({ kind: 'call', id, method, argument });
      }),
    notify: (name, value) => send({ kind: 'notice', name, value }),
    onNotice(name, listener) {
      const present = listeners.get(name) ?? new Set();
      listeners.set(name, present.add(listener));
      return () => present.delete(listener);
    },
  };
}

function describeFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { code } = error as NodeJS.ErrnoException;
  return { name: error.name, message: error.message, ...(code === undefined ? {} : { code }) };
}
