/**
 * The state on disk: `snapshot-N.log` holds every object as it was when `changes-N.log` was begun, and the changes
 * follow there. A commit counts once its line is with the kernel, so that killing the process loses none; the disk is
 * told to keep it within a second, so that a power cut may lose that second.
 */

import {
  closeSync,
  existsSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DiagnosticError } from '../../../diagnostics/index.ts';
import { ApiError } from '../../../kubernetes/index.ts';
import { acquireLock, type Lock } from './lock.ts';
import { decodeLog, encodeHeader, encodeRecord } from './records.ts';
import type { State, StateRecord } from './state.ts';

export interface StateDirectoryOptions {
  /** Changes are folded into a new snapshot when they exceed this and twice the last snapshot. Default 8 MiB. */
  readonly minCompactionBytes?: number;
  /** Told when a compaction failed: the state is whole, its log only grows on. */
  readonly onError?: (error: unknown) => void;
}

const defaultMinCompactionBytes = 8 * 2 ** 20;
const syncDelayMs = 1000;
const chunkBytes = 2 ** 20;

/** Creates the directory where it is not there. Throws `DiagnosticError` SL4041 where another process uses it. */
export async function openStateDirectory(path: string, options: StateDirectoryOptions = {}): Promise<State> {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const lock = await acquireLock(resolve(path));
  if (!lock) {
    throw new DiagnosticError([
      {
        code: 'SL4041',
        severity: 'error',
        message: `the state directory ${path} is in use by another sluice`,
        hint: 'Stop the other one, or give this one a directory of its own with --state.',
      },
    ]);
  }
  return new StateDirectory(path, lock, options);
}

class StateDirectory implements State {
  readonly #path: string;
  readonly #lock: Lock;
  readonly #minCompactionBytes: number;
  readonly #onError: (error: unknown) => void;
  /** The number of the changes file that is written to. */
  #current = 0;
  #descriptor = -1;
  #changeBytes = 0;
  #snapshotBytes = 0;
  #compaction: Promise<void> | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #broken: unknown;

  constructor(path: string, lock: Lock, options: StateDirectoryOptions) {
    this.#path = path;
    this.#lock = lock;
    this.#minCompactionBytes = options.minCompactionBytes ?? defaultMinCompactionBytes;
    this.#onError = options.onError ?? (() => undefined);
  }

  load(): { version: number; records: StateRecord[] } {
    const objects = new Map<string, StateRecord>();
    let version = 0;
    const { snapshot, changes } = this.#files();
    const take = (records: readonly StateRecord[]) => {
      for (const record of records) {
        const key = `${record.resource} ${record.namespace}/${record.name}`;
        version = Math.max(version, record.version);
        if (record.object) objects.set(key, record);
        else objects.delete(key);
      }
    };
    if (snapshot !== undefined) {
      const file = this.#file('snapshot', snapshot);
      const bytes = readFileSync(file);
      const log = decodeLog(bytes);
      if (log.badLine !== undefined || !log.header) throw damaged(file, log.badLine ?? 1);
      version = log.header.version;
      this.#snapshotBytes = bytes.length;
      take(log.records);
    }
    for (const number of changes) take(this.#readChanges(number, number === changes.at(-1)));
    this.#current = changes.at(-1) ?? snapshot ?? 0;
    this.#descriptor = openSync(this.#file('changes', this.#current), 'a', 0o600);
    return { version, records: [...objects.values()] };
  }

  append(record: StateRecord, json: string | undefined): void {
    if (this.#broken !== undefined) throw unwritable(this.#broken);
    const line = Buffer.from(encodeRecord(record, json));
    try {
      writeAll(this.#descriptor, line);
    } catch (error) {
      this.#undoPartialWrite(error);
      throw unwritable(error);
    }
    this.#changeBytes += line.length;
    this.#syncTimer ??= setTimeout(() => this.#sync(), syncDelayMs).unref();
  }

  compactIfDue(everything: () => Iterable<StateRecord>, version: number): void {
    if (this.#compaction || this.#changeBytes < this.#minCompactionBytes) return;
    if (this.#changeBytes < 2 * this.#snapshotBytes) return;
    // The objects are frozen: what is gathered here stays as it is while it is written.
    const records = Array.from(everything());
    this.#compaction = this.#compact(records, version)
      .catch(this.#onError)
      .finally(() => {
        this.#compaction = undefined;
      });
  }

  async close(): Promise<void> {
    await this.#compaction;
    clearTimeout(this.#syncTimer);
    if (this.#descriptor >= 0) {
      fsyncSync(this.#descriptor);
      closeSync(this.#descriptor);
      this.#descriptor = -1;
    }
    await this.#lock.release();
  }

  async #compact(records: readonly StateRecord[], version: number): Promise<void> {
    const next = this.#current + 1;
    const descriptor = openSync(this.#file('changes', next), 'a', 0o600);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#current = next;
    this.#changeBytes = 0;
    const file = this.#file('snapshot', next);
    this.#snapshotBytes = await writeSnapshot(`${file}.new`, records, version);
    await rename(`${file}.new`, file);
    for (let old = next - 1; old >= 0; old--) {
      const outdated = [this.#file('snapshot', old), this.#file('changes', old)].filter(existsSync);
      if (outdated.length === 0) break;
      for (const each of outdated) await rm(each, { force: true });
    }
  }

  /** A record torn by a crash was never acknowledged: it is cut off. Damage anywhere else is not for us to guess at. */
  #readChanges(number: number, isLast: boolean): readonly StateRecord[] {
    const file = this.#file('changes', number);
    const log = decodeLog(readFileSync(file));
    if (isLast) this.#changeBytes = log.goodBytes;
    if (log.badLine === undefined) return log.records;
    if (!isLast || log.hasMoreAfterBadLine) throw damaged(file, log.badLine);
    truncateSync(file, log.goodBytes);
    return log.records;
  }

  #files(): { snapshot: number | undefined; changes: number[] } {
    const numbers = (kind: string) =>
      readdirSync(this.#path)
        .flatMap((name) => new RegExp(`^${kind}-(\\d+)\\.log$`).exec(name)?.[1] ?? [])
        .map(Number)
        .toSorted((left, right) => left - right);
    const snapshot = numbers('snapshot').at(-1);
    return { snapshot, changes: numbers('changes').filter((number) => number >= (snapshot ?? 0)) };
  }

  #file(kind: 'snapshot' | 'changes', number: number): string {
    return join(this.#path, `${kind}-${number}.log`);
  }

  #undoPartialWrite(error: unknown): void {
    try {
      ftruncateSync(this.#descriptor, this.#changeBytes);
    } catch {
      // What follows a torn record could not be read again: nothing more may be written.
      this.#broken = error;
    }
  }

  #sync(): void {
    this.#syncTimer = undefined;
    if (this.#descriptor < 0) return;
    fdatasync(this.#descriptor, (error) => {
      // Closed meanwhile by a compaction, which syncs all there is.
      if (error && error.code !== 'EBADF') this.#onError(error);
    });
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(descriptor, bytes, written);
  }
}

/** In pieces, with the event loop's turn in between. Returns the bytes written. */
async function writeSnapshot(
  file: string,
  records: readonly StateRecord[],
  version: number,
): Promise<number> {
  const handle = await open(file, 'w', 0o600);
  try {
    const total = await writeLines(handle, records, version);
    await handle.sync();
    return total;
  } finally {
    await handle.close();
  }
}

async function writeLines(
  handle: FileHandle,
  records: readonly StateRecord[],
  version: number,
): Promise<number> {
  let chunk = encodeHeader(version);
  let total = 0;
  const flush = async () => {
    const bytes = Buffer.from(chunk);
    chunk = '';
    total += bytes.length;
    await handle.writeFile(bytes);
  };
  for (const record of records) {
    chunk += encodeRecord(record, JSON.stringify(record.object));
    if (chunk.length >= chunkBytes) await flush();
  }
  await flush();
  return total;
}

function unwritable(cause: unknown): ApiError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ApiError('InternalError', `the change could not be written to the state directory: ${reason}`);
}

function damaged(file: string, line: number): DiagnosticError {
  return new DiagnosticError([
    {
      code: 'SL4040',
      severity: 'error',
      message: 'the state on disk is damaged: this record is not what was written',
      position: { file, line, column: 1 },
      hint: 'Restore the directory from a copy, or move it away to start with an empty cluster.',
    },
  ]);
}
