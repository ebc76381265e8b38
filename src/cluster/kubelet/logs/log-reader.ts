/** Reads a container's log as `kubectl logs` asks for it. */

import { type FileHandle, open } from 'node:fs/promises';
import { pause } from '../timing.ts';
import type { LogFile } from './log-file.ts';
import { logTime, parseLogLine } from './log-format.ts';

export interface LogReadOptions {
  /** Goes on with what the container writes, until it ends. */
  readonly follow?: boolean;
  /** The last lines only. 0 gives none of the present ones. */
  readonly tailLines?: number;
  /** Lines from this time on: milliseconds since the epoch. */
  readonly sinceMs?: number;
  /** Each line with its time before it. */
  readonly timestamps?: boolean;
  /** No more bytes than this. */
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}

const chunkBytes = 64 * 1024;

/** Texts of one or more lines. */
export async function* readLog(log: LogFile, options: LogReadOptions): AsyncGenerator<string> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const text of selectedText(log, options)) {
    const bytes = Buffer.byteLength(text);
    if (bytes >= left) {
      yield Buffer.from(text).subarray(0, left).toString();
      return;
    }
    left -= bytes;
    yield text;
  }
}

async function* selectedText(log: LogFile, options: LogReadOptions): AsyncGenerator<string> {
  const since = options.sinceMs === undefined ? undefined : logTime(options.sinceMs);
  for await (const lines of storedLines(log, options)) {
    let text = '';
    for (const stored of lines) {
      const line = parseLogLine(stored);
      if (!line || (since !== undefined && line.time < since)) continue;
      text += options.timestamps ? `${line.time} ${line.text}` : line.text;
    }
    if (text !== '') yield text;
  }
}

async function* storedLines(
  log: LogFile,
  { tailLines, follow, signal }: LogReadOptions,
): AsyncGenerator<string[]> {
  await log.flushed();
  const older = tailLines === undefined ? undefined : await lastLines(log, tailLines);
  if (older) yield older.fromPredecessor;
  else yield* linesOf(log.predecessor, 0);
  let position = older?.position ?? 0;
  let rotations = log.rotations;
  let handle = await openOrUndefined(log.path);
  try {
    for (;;) {
      // Asked for before the reading, so that nothing written meanwhile goes unnoticed.
      const changed = log.changed();
      const isLast = log.isClosed;
      if (!handle) {
        rotations = log.rotations;
        handle = await openOrUndefined(log.path);
      }
      const isRotated = log.rotations !== rotations;
      if (handle) {
        for await (const { lines, end } of linesFrom(handle, position)) {
          position = end;
          yield lines;
        }
      }
      if (isRotated) {
        await handle?.close();
        handle = undefined;
        position = 0;
      } else if (isLast || !follow || signal?.aborted) {
        return;
      } else {
        await pause(Number.POSITIVE_INFINITY, signal, changed);
      }
    }
  } finally {
    await handle?.close();
  }
}

async function openOrUndefined(path: string): Promise<FileHandle | undefined> {
  return await open(path).catch(() => undefined);
}

async function* linesOf(path: string, position: number): AsyncGenerator<string[]> {
  const handle = await openOrUndefined(path);
  if (!handle) return;
  try {
    for await (const { lines } of linesFrom(handle, position)) yield lines;
  } finally {
    await handle.close();
  }
}

/** The whole lines from a position to the end as it is now. `end` is where the next line will start. */
async function* linesFrom(
  handle: FileHandle,
  position: number,
): AsyncGenerator<{ lines: string[]; end: number }> {
  let end = position;
  let rest = Buffer.alloc(0);
  for (;;) {
    const { bytesRead, buffer } = await handle.read(
      Buffer.alloc(chunkBytes),
      0,
      chunkBytes,
      end + rest.length,
    );
    if (bytesRead === 0) return;
    const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    const cut = bytes.lastIndexOf(10) + 1;
    rest = bytes.subarray(cut);
    if (cut === 0) continue;
    end += cut;
    yield {
      lines: bytes
        .subarray(0, cut - 1)
        .toString()
        .split('\n'),
      end,
    };
  }
}

/** Where the last `count` lines begin: a position in the file, and before it lines of its predecessor. */
async function lastLines(
  log: LogFile,
  count: number,
): Promise<{ fromPredecessor: string[]; position: number }> {
  const current = await tailOf(log.path, count);
  if (current.found >= count) return { fromPredecessor: [], position: current.position };
  const before = await tailOf(log.predecessor, count - current.found);
  const fromPredecessor: string[] = [];
  for await (const lines of linesOf(log.predecessor, before.position)) fromPredecessor.push(...lines);
  return { fromPredecessor, position: current.position };
}

/** Looks for the start of the last `count` lines from the file's end backwards. */
async function tailOf(path: string, count: number): Promise<{ found: number; position: number }> {
  const handle = await openOrUndefined(path);
  if (!handle) return { found: 0, position: 0 };
  try {
    const { size } = await handle.stat();
    let found = 0;
    for (let start = size; start > 0; ) {
      const length = Math.min(chunkBytes, start);
      start -= length;
      const { buffer } = await handle.read(Buffer.alloc(length), 0, length, start);
      for (let index = length - 1; index >= 0; index--) {
        // The newline that ends a line starts the next one; the file's last has nothing after it.
        if (buffer[index] !== 10) continue;
        if (found === count) return { found, position: start + index + 1 };
        found++;
      }
    }
    return { found, position: 0 };
  } finally {
    await handle.close();
  }
}
