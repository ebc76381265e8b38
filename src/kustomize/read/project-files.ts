/** The files of one render: read once, parsed once, and all of them known to the watcher. */

import { isUtf8 } from 'node:buffer';
import { posix } from 'node:path';
import { type EntryKind, FileNotFoundError, type FileSystem } from '../../files/index.ts';
import { SourceText } from '../../yaml/index.ts';

export interface ReadFile {
  /** Absolute and without links. */
  readonly path: string;
  /** The text with line ends as YAML counts them, or undefined where the bytes are no UTF-8. */
  readonly source: SourceText | undefined;
}

/** What was made of a file's text, kept until the text changes. */
export type Parsed = unknown;

/** Files with what was read from them, shared by every render that uses it. `forget` what has changed. */
export class ProjectFiles {
  readonly #files: FileSystem;
  readonly #workingDirectory: string | undefined;
  readonly #read = new Map<string, ReadFile>();
  readonly #bytes = new Map<string, Uint8Array>();
  /** Of what is kept, from before it was read. */
  readonly #stamps = new Map<string, string>();
  readonly #parsed = new WeakMap<ReadFile, Map<string, Parsed>>();
  readonly #realPaths = new Map<string, string | undefined>();
  readonly #kinds = new Map<string, ReturnType<FileSystem['kind']>>();
  readonly #entries = new Map<string, ReturnType<FileSystem['entries']>>();

  /** Whether what is parsed is kept for another render; else it is given away. */
  readonly keepsParsed: boolean;

  constructor(files: FileSystem, keepsParsed: boolean, workingDirectory?: string) {
    this.#files = files;
    this.keepsParsed = keepsParsed;
    this.#workingDirectory = workingDirectory;
  }

  kind(path: string): ReturnType<FileSystem['kind']> {
    let kind = this.#kinds.get(path);
    if (kind === undefined && !this.#kinds.has(path)) {
      const own = this.#ownKind(path);
      kind = own === 'link' || own === 'unknown' ? this.#files.kind(path) : own;
      this.#kinds.set(path, kind);
    }
    return kind;
  }

  /** What is at the path itself, as far as the directories that were listed tell. */
  #ownKind(path: string): EntryKind | 'unknown' | undefined {
    const entries = this.#entries.get(posix.dirname(path));
    return entries ? entries.get(posix.basename(path)) : 'unknown';
  }

  /** Whether this is known to be a file in the directory itself, and no link. The directory's path has none. */
  hasFile(directory: string, name: string): boolean {
    return this.#entries.get(directory)?.get(name) === 'file';
  }

  /** To be called before many files of a directory are asked for: one look tells what all of them are. */
  lookInto(directory: string): void {
    if (this.#entries.has(directory) || this.kind(directory) !== 'directory') return;
    this.#entries.set(directory, this.#files.entries(directory));
  }

  /** The path with every link resolved, or undefined where nothing is. */
  realPath(path: string): string | undefined {
    if (!this.#realPaths.has(path)) {
      this.#realPaths.set(path, this.kind(path) ? this.#resolveLinks(path) : undefined);
    }
    return this.#realPaths.get(path);
  }

  #resolveLinks(path: string): string | undefined {
    const own = this.#ownKind(path);
    if (own !== 'file' && own !== 'directory') return this.#files.realPath(path);
    const directory = this.realPath(posix.dirname(path));
    return directory && `${directory === '/' ? '' : directory}/${posix.basename(path)}`;
  }

  /** None where the directory may not be listed. */
  list(directory: string): readonly string[] {
    try {
      return this.#files.list(directory);
    } catch (error) {
      if (error instanceof FileNotFoundError) return [];
      throw error;
    }
  }

  /** As the user would type it. */
  displayName(path: string): string {
    if (this.#workingDirectory === undefined) return path;
    return posix.relative(this.#workingDirectory, path) || '.';
  }

  /** By the directory with its slash. */
  readonly #directoryNames = new Map<string, string>();

  /** The display name of a file; what its directory is called is found out once. */
  #fileName(path: string): string {
    const cut = path.lastIndexOf('/') + 1;
    const directory = path.slice(0, cut);
    let name = this.#directoryNames.get(directory);
    if (name === undefined) {
      name = this.displayName(posix.dirname(path));
      this.#directoryNames.set(directory, name);
    }
    if (name === '.') return path.slice(cut);
    return name === '/' ? path : `${name}/${path.slice(cut)}`;
  }

  /** `path` is absolute and names a file. */
  read(path: string): ReadFile {
    let file = this.#read.get(path);
    if (!file) {
      this.#noteStamp(path);
      const text = this.#text(path);
      const name = this.#fileName(path);
      file = { path, source: text === undefined ? text : new SourceText(name, text) };
      this.#read.set(path, file);
    }
    return file;
  }

  #text(path: string): string | undefined {
    const text = this.#files.readText(path);
    if (text.includes('\ufffd') && !isUtf8(this.readBytes(path))) return undefined;
    return text.includes('\r') ? text.replaceAll('\r\n', '\n') : text;
  }

  /** The same file as it is. */
  readBytes(path: string): Uint8Array {
    let bytes = this.#bytes.get(path);
    if (!bytes) {
      this.#noteStamp(path);
      bytes = this.#files.read(path);
      this.#bytes.set(path, bytes);
    }
    return bytes;
  }

  #noteStamp(path: string): void {
    if (!this.keepsParsed || this.#stamps.has(path)) return;
    const stamp = this.#files.stamp?.(path);
    if (stamp !== undefined) this.#stamps.set(path, stamp);
  }

  /** What `make` makes of the file, made once. */
  parsed<Result>(file: ReadFile, use: string, make: () => Result): Result {
    let results = this.#parsed.get(file);
    if (!results) {
      results = new Map();
      this.#parsed.set(file, results);
    }
    if (!results.has(use)) results.set(use, make());
    return results.get(use) as Result;
  }

  /**
   * Drops what is known about paths that may have changed, directories with all in them; all that is known, without paths. A path that
   * leads over a link stands for what is behind it, too. A file that the file system itself knows to have changed need not be named:
   * whoever watches files misses an event now and then.
   */
  forget(paths?: readonly string[]): void {
    const changed = (paths ?? []).flatMap((path) => [path, ...this.#behindLinks(path)]);
    this.#kinds.clear();
    this.#entries.clear();
    this.#realPaths.clear();
    if (!paths) {
      this.#read.clear();
      this.#bytes.clear();
      this.#stamps.clear();
      return;
    }
    for (const [path, stamp] of this.#stamps) if (this.#files.stamp?.(path) !== stamp) this.#drop(path);
    for (const path of changed) {
      this.#drop(path);
      const below = path === '/' ? path : `${path}/`;
      for (const known of [this.#read, this.#bytes]) {
        for (const name of known.keys()) if (name.startsWith(below)) this.#drop(name);
      }
    }
  }

  #drop(path: string): void {
    this.#read.delete(path);
    this.#bytes.delete(path);
    this.#stamps.delete(path);
  }

  /** Where the path led when it was last resolved. */
  *#behindLinks(path: string): Generator<string> {
    for (let above = path; above !== '/'; above = posix.dirname(above)) {
      const real = this.#realPaths.get(above);
      if (real && real !== above) yield real + path.slice(above.length);
    }
  }
}
