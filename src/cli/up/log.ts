/** The log of a run: one line per record for a person, and the records themselves in .sluice/sluice.log. */

import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { destination } from 'pino';
import type { LogRecord } from '../../laptop/index.ts';
import { note, styled } from '../output.ts';

export interface RunLog {
  /** Where this run keeps its files. */
  readonly stateDirectory: string;
  record(record: LogRecord): void;
  /** From now on records are shown, too; before, while everything is still coming up, they are only written. */
  show(): void;
  close(): void;
}

const warnLevel = 40;
const errorLevel = 50;

/** In the tree's own `.sluice/`, or in the system's temporary directory where that cannot be written. */
export function openLog(root: string): RunLog {
  const { stateDirectory, file } = openIn([join(root, '.sluice'), join(tmpdir(), `sluice-${process.pid}`)]);
  let isShown = false;
  return {
    stateDirectory,
    record(record) {
      file.write(`${JSON.stringify(record)}\n`);
      if (isShown) note(formatRecord(record));
    },
    show() {
      isShown = true;
    },
    close: () => file.end(),
  };
}

/** In the first of the directories where the log can really be opened: one that is there may be somebody else's. */
function openIn(candidates: readonly string[]) {
  let cause: unknown;
  for (const stateDirectory of candidates) {
    try {
      mkdirSync(stateDirectory, { recursive: true });
      const file = destination({ dest: join(stateDirectory, 'sluice.log'), sync: true, append: false });
      return { stateDirectory, file };
    } catch (error) {
      cause = error;
    }
  }
  throw new Error(`none of ${candidates.join(', ')} can be written`, { cause });
}

function formatRecord({ time, level, component, msg }: LogRecord): string {
  const clock = new Date(time).toTimeString().slice(0, 8);
  const text = `${clock} ${component ? `${component}: ` : ''}${msg}`;
  if (level >= errorLevel) return styled('red', text);
  return styled(level >= warnLevel ? 'yellow' : 'dim', text);
}
