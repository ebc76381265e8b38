export type EntryKind = 'file' | 'directory' | 'link';

/**
 * The files of a GitOps tree as the renderer sees them. Synchronous, because a render is one pure computation
 * over a tree that must not change under it. Paths are absolute and use `/`.
 */
export interface FileSystem {
  /** What is at the path (links followed), or undefined where nothing is. */
  kind(path: string): 'file' | 'directory' | undefined;
  /** The bytes of a file. Throws `FileNotFoundError` where there is none. */
  read(path: string): Uint8Array;
  /**
   * The bytes of a file read as UTF-8, with U+FFFD for whatever is none. Throws `FileNotFoundError` where there is no file. Takes half as
   * long as reading the bytes and decoding them.
   */
  readText(path: string): string;
  /**
   * What each name in a directory is, links not followed; undefined where that cannot be told. One look for many files: whoever reads
   * thousands need not ask about each.
   */
  entries(path: string): ReadonlyMap<string, EntryKind> | undefined;
  /** The names in a directory, sorted. Throws `FileNotFoundError` where there is none. */
  list(path: string): readonly string[];
  /**
   * Something that is another once the file (links followed) has changed, and may be another where it has not; undefined where nothing is.
   * Left out where whoever changes files says so.
   */
  stamp?(path: string): string | undefined;
  /** The path with every symbolic link resolved. Throws `FileNotFoundError` where nothing is. */
  realPath(path: string): string;
}

export class FileNotFoundError extends Error {
  readonly path: string;

  constructor(path: string, options?: ErrorOptions) {
    super(`no such file or directory: ${path}`, options);
    this.name = 'FileNotFoundError';
    this.path = path;
  }
}
