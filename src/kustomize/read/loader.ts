/**
 * What a kustomization may read: files in or below its own directory, and other directories that are neither its own nor above
 * any kustomization on the way to it. Links are resolved first. Source: api/internal/loader of kustomize 5.5.
 */

import { posix } from 'node:path';
import { nearestName } from '../../diagnostics/index.ts';
import { FileNotFoundError } from '../../files/index.ts';
import type { Origin } from '../../yaml/index.ts';
import { refuse } from '../problem.ts';
import type { ProjectFiles, ReadFile } from './project-files.ts';

export class Loader {
  /** Absolute, without links. */
  readonly root: string;
  readonly files: ProjectFiles;
  /** The way from the first kustomization to this one, as the kustomizations wrote it. */
  readonly pathFromStart: string;
  readonly #parent: Loader | undefined;
  readonly #onRead: (path: string) => void;

  constructor(
    root: string,
    files: ProjectFiles,
    onRead: (path: string) => void,
    parent?: Loader,
    pathFromStart = '',
  ) {
    this.pathFromStart = pathFromStart;
    this.root = root;
    this.files = files;
    this.#onRead = onRead;
    this.#parent = parent;
  }

  /** Reads a file named in the kustomization. Throws `KustomizeProblem`. */
  load(path: string, at: Origin | undefined): ReadFile {
    return this.#orUnreadable(path, at, () => this.files.read(this.#find(path, at)));
  }

  /** Reads a file that need not be text. Throws `KustomizeProblem`. */
  loadBytes(path: string, at: Origin | undefined): Uint8Array {
    return this.#orUnreadable(path, at, () => this.files.readBytes(this.#find(path, at)));
  }

  #orUnreadable<Result>(path: string, at: Origin | undefined, read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FileNotFoundError)) throw error;
      return refuse('SL1001', `${path} cannot be read`, at, {
        hint: 'Its permissions do not allow it, or it has just been removed.',
      });
    }
  }

  /** The absolute path of a file that may be read, without links. */
  #find(path: string, at: Origin | undefined): string {
    if (this.files.hasFile(this.root, path)) {
      const beside = this.#beside(path);
      this.#onRead(beside);
      return beside;
    }
    if (isRemoteUrl(path)) refuseRemote(path, at);
    const wanted = posix.resolve(this.root, path);
    this.#onRead(wanted);
    const real = this.files.realPath(wanted);
    if (real === undefined)
      refuse('SL1001', `no such file: ${path}`, at, { hint: this.#nearestFile(wanted) });
    if (this.files.kind(real) === 'directory') refuse('SL1001', `${path} is a directory, not a file`, at);
    if (!isWithin(posix.dirname(real), this.root)) {
      refuse('SL1006', `${path} is outside the kustomization's directory`, at, {
        hint: 'A kustomization reads files only in or below its own directory. Move the file, or make its directory a base.',
      });
    }
    this.#onRead(real);
    return real;
  }

  /** Whether the path names something, and what. */
  kind(path: string): 'file' | 'directory' | undefined {
    if (this.files.hasFile(this.root, path)) return 'file';
    return isRemoteUrl(path) ? undefined : this.files.kind(posix.resolve(this.root, path));
  }

  #beside(name: string): string {
    return this.root === '/' ? `/${name}` : `${this.root}/${name}`;
  }

  /** To be called before many files are loaded. */
  expectFiles(): void {
    this.files.lookInto(this.root);
  }

  /** The loader of another kustomization's directory. Throws `KustomizeProblem`. */
  enter(path: string, at: Origin): Loader {
    if (path === '') refuse('SL1001', 'the path is empty', at);
    if (posix.isAbsolute(path)) {
      refuse('SL1006', `${path} is absolute`, at, { hint: 'Name the directory relative to this one.' });
    }
    const wanted = posix.resolve(this.root, path);
    const real = this.files.realPath(wanted);
    if (real === undefined) {
      this.#onRead(wanted);
      if (looksRemote(path)) refuseRemote(path, at);
      refuse('SL1001', `no such file or directory: ${path}`, at, { hint: this.#nearestFile(wanted) });
    }
    if (this.files.kind(real) !== 'directory') refuse('SL1001', `${path} is not a directory`, at);
    this.#refuseCycle(real, path, at);
    return new Loader(real, this.files, this.#onRead, this, posix.join(this.pathFromStart, path));
  }

  #refuseCycle(real: string, path: string, at: Origin): void {
    if (isWithin(this.root, real)) {
      refuse('SL1006', `cycle: ${path} holds a kustomization that leads to it`, at, {
        hint: 'A kustomization may use neither its own directory nor one above it as a base.',
      });
    }
    if (this.#parent) this.#parent.#refuseCycle(real, path, at);
  }

  #nearestFile(path: string): string | undefined {
    const directory = posix.dirname(path);
    if (this.files.kind(directory) !== 'directory') return undefined;
    const nearest = nearestName(posix.basename(path), this.files.list(directory));
    return nearest && `Did you mean ${posix.join(posix.relative(this.root, directory), nearest)}?`;
  }
}

const isWithin = (path: string, root: string): boolean =>
  path === root || root === '/' || path.startsWith(`${root}/`);

const isRemoteUrl = (path: string): boolean => /^https?:/i.test(path);

/** A repository's address, as kustomize would clone it. */
const looksRemote = (path: string): boolean =>
  isRemoteUrl(path) ||
  /^(?:ssh:|git@|git::|file:|oci:|github\.com[/:])/i.test(path) ||
  /\.git(?:$|[/?])|\?ref=/.test(path);

function refuseRemote(path: string, at: Origin | undefined): never {
  refuse('SL1005', `${path} is remote`, at, {
    hint: 'sluice reads local files only: put a copy into the tree (a submodule, or a file under version control) and name that.',
  });
}
