/** The log of one run of a container: a file, and its predecessor when it grew past the limit. */

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { Bell } from '../timing.ts';
import { LineSplitter, type LogStream } from './log-format.ts';

/** What may wait for the disk before the program is made to wait. */
const maxPendingBytes = 1024 * 1024;

export class LogFile {
  readonly path: string;
  private readonly maxBytes: number;
  private readonly now: () => number;
  private readonly onError: (error: unknown) => void;
  private readonly written = new Bell();
  private pending: string[] = [];
  private pendingBytes = 0;
  private flushing: Promise<void> | undefined;
  private drained = new Bell();
  private handle: FileHandle | undefined;
  private bytes = 0;
  private rotationCount = 0;
  private openStreams = 0;
  private wasClosed = false;

  /** Nothing is on disk until something is written. `maxBytes` is of the file and of its predecessor each. */
  constructor(
    path: string,
    options: { maxBytes: number; now: () => number; onError: (error: unknown) => void },
  ) {
    this.path = path;
    this.maxBytes = options.maxBytes;
    this.now = options.now;
    this.onError = options.onError;
  }

  /** Where the lines are that came before those in `path`. */
  get predecessor(): string {
    return `${this.path}.1`;
  }

  /** How often `path` became `predecessor`. */
  get rotations(): number {
    return this.rotationCount;
  }

  /** Whether everything is written and nothing will be added. */
  get isClosed(): boolean {
    return this.wasClosed && this.flushing === undefined;
  }

  /** Resolves when more is in the file, or it is closed. */
  changed(): Promise<void> {
    return this.written.next();
  }

  /** Resolves when the log is closed. */
  async ended(): Promise<void> {
    while (!this.isClosed) await this.changed();
  }

  /** Resolves when all that came so far is in the file. */
  async flushed(): Promise<void> {
    while (this.flushing) await this.flushing;
  }

  /** Stores what a program writes until the stream ends. A slow disk slows the program, as a real runtime's does. */
  take(stream: LogStream, source: Readable): void {
    const splitter = new LineSplitter(stream, this.now);
    this.openStreams++;
    source.on('data', (chunk: Buffer) => {
      this.append(splitter.push(chunk));
      if (this.pendingBytes <= maxPendingBytes) return;
      source.pause();
      void this.drained.next().then(() => source.resume());
    });
    source.once('close', () => {
      this.append(splitter.end());
      this.openStreams--;
      if (this.openStreams === 0) void this.close();
    });
    source.on('error', () => undefined);
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    this.wasClosed = true;
    await this.flushed();
    await this.handle?.close();
    this.handle = undefined;
    this.written.ring();
  }

  /** Takes the log off the disk. */
  async remove(): Promise<void> {
    await this.close();
    await Promise.all([rm(this.path, { force: true }), rm(this.predecessor, { force: true })]);
  }

  private append(text: string): void {
    if (text === '') return;
    this.pending.push(text);
    this.pendingBytes += text.length;
    this.flushing ??= this.flush();
  }

  private async flush(): Promise<void> {
    try {
      while (this.pending.length > 0) {
        const data = Buffer.from(this.pending.join(''));
        this.pending = [];
        this.pendingBytes = 0;
        await this.write(data);
        this.drained.ring();
        this.written.ring();
      }
    } catch (error) {
      // A full disk costs log lines, not the pod.
      this.onError(error);
      this.pending = [];
      this.pendingBytes = 0;
      this.drained.ring();
    } finally {
      this.flushing = undefined;
    }
  }

  private async write(data: Buffer): Promise<void> {
    if (this.bytes > 0 && this.bytes + data.length > this.maxBytes) {
      await this.handle?.close();
      await rename(this.path, this.predecessor);
      this.handle = undefined;
      this.bytes = 0;
      this.rotationCount++;
    }
    this.handle ??= await open(this.path, 'a', 0o640);
    await this.handle.appendFile(data);
    this.bytes += data.length;
  }
}
