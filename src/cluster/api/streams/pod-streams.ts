/** What the API server asks of the kubelet: the streams of a pod's containers. */

import type { Duplex, Readable, Writable } from 'node:stream';

export interface LogOptions {
  /** Absent where the pod has one container; else the API server has named one. */
  readonly container: string;
  readonly follow: boolean;
  /** Of the run before the last restart. */
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  /** RFC 3339. */
  readonly sinceTime?: string;
  readonly limitBytes?: number;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** One side of exec and attach. Streams that the client did not ask for are absent. */
export interface ProcessStreams {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Each change of the client's window. */
  onResize(listener: (size: TerminalSize) => void): void;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
}

export interface ExecOptions extends ProcessStreams {
  readonly container: string;
  readonly command: readonly string[];
  readonly tty: boolean;
}

export interface AttachOptions extends ProcessStreams {
  readonly container: string;
  readonly tty: boolean;
}

/** How the process ended. */
export interface ExitStatus {
  readonly exitCode: number;
  /** Where it could not be run at all. */
  readonly message?: string;
}

/** Implemented by the kubelet. Each throws `ApiError` NotFound or BadRequest, worded for the user. */
export interface PodStreams {
  /** The text as it was written, line by line. Ends when the container is done or, without `follow`, at the present end. */
  logs(namespace: string, pod: string, options: LogOptions): AsyncIterable<Uint8Array>;
  /** Resolves when the process has ended and its output is written. */
  exec(namespace: string, pod: string, options: ExecOptions): Promise<ExitStatus>;
  attach(namespace: string, pod: string, options: AttachOptions): Promise<ExitStatus>;
  /** A connection to a TCP port of the pod. */
  portForward(namespace: string, pod: string, port: number): Promise<Duplex>;
}
