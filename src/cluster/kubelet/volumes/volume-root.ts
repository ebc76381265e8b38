/** Where pods' volumes are: in memory, so that nothing of them is left however the cluster process ends. */

import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findProgram } from '../../network/index.ts';

export class VolumeRoot {
  private readonly path: string;
  private readonly inMemory: boolean;
  private opening: Promise<void> | undefined;

  /** `inMemory` where this process has a mount namespace of its own, in which nobody else sees the mount. */
  constructor(path: string, inMemory: boolean) {
    this.path = path;
    this.inMemory = inMemory;
  }

  /** The directory, made at the first use. */
  async open(): Promise<string> {
    this.opening ??= this.make();
    await this.opening;
    return this.path;
  }

  /** Where there is no memory file system: takes everything off the disk. */
  async remove(): Promise<void> {
    if (this.inMemory) return;
    await rm(this.path, { recursive: true, force: true });
  }

  private async make(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    const mount = this.inMemory ? findProgram('mount') : undefined;
    if (mount) await promisify(execFile)(mount, ['-t', 'tmpfs', '-o', 'mode=700', 'tmpfs', this.path]);
  }
}
