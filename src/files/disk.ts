import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { type EntryKind, FileNotFoundError, type FileSystem } from './file-system.ts';

function orNotFound<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    throw new FileNotFoundError(path, { cause });
  }
}

/** More than a tick of the clocks that file systems go by. */
const tickMs = 50;

/** Complete, or Node makes a new object for every file. */
const asText = { encoding: 'utf8', flag: 'r' } as const;

/** The files of this machine. */
export const diskFileSystem: FileSystem = {
  kind(path) {
    try {
      return statSync(path).isDirectory() ? 'directory' : 'file';
    } catch {
      // Absent, below a file, or in a directory of somebody else's: for us there is nothing.
      return undefined;
    }
  },
  entries(path) {
    try {
      const entries = readdirSync(path, { withFileTypes: true });
      return new Map(entries.map((entry) => [entry.name, kindOf(entry)]));
    } catch {
      // Names may be forbidden to list where each of them may be read.
      return undefined;
    }
  },
  read: (path) => orNotFound(path, () => readFileSync(path)),
  readText: (path) => orNotFound(path, () => readFileSync(path, asText)),
  stamp(path) {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (!found) return undefined;
    // The clock of the file system has ticks: a file that has just changed may change again within this one.
    if (Date.now() - Number(found.ctimeMs) < tickMs) return `${found.ino} ${process.hrtime.bigint()}`;
    return `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
  },
  list: (path) => orNotFound(path, () => readdirSync(path).sort()),
  realPath: (path) => orNotFound(path, () => realpathSync.native(path)),
};

function kindOf(entry: Dirent): EntryKind {
  if (entry.isSymbolicLink()) return 'link';
  return entry.isDirectory() ? 'directory' : 'file';
}
