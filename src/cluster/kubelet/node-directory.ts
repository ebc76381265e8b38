/** The directory of a node's pods: logs as under /var/log/pods, and volumes. */

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { namespacedName, type Pod } from '../../kubernetes/index.ts';
import { LogFile } from './logs/log-file.ts';
import { VolumeRoot } from './volumes/volume-root.ts';

const volumeDirectory = '.volumes';

export interface NodeDirectoryOptions {
  readonly path: string;
  readonly maxLogBytes: number;
  /** Whether this process has a mount namespace, so that volumes can be in memory. */
  readonly hasMounts: boolean;
  onError(error: unknown): void;
}

export class NodeDirectory {
  private readonly options: NodeDirectoryOptions;
  private readonly volumes: VolumeRoot;

  constructor(options: NodeDirectoryOptions) {
    this.options = options;
    this.volumes = new VolumeRoot(join(options.path, volumeDirectory), options.hasMounts);
  }

  /** Made where it is not there. What an earlier run left is removed, and nothing else. */
  prepare(): void {
    const { path } = this.options;
    mkdirSync(path, { recursive: true });
    for (const name of readdirSync(path).filter(isOurs))
      rmSync(join(path, name), { recursive: true, force: true });
  }

  openLog(pod: Pod, container: string, restartCount: number): LogFile {
    const directory = join(this.logsOf(pod), container);
    mkdirSync(directory, { recursive: true });
    return new LogFile(join(directory, `${restartCount}.log`), {
      maxBytes: this.options.maxLogBytes,
      now: () => performance.timeOrigin + performance.now(),
      onError: (error) => this.options.onError(new Error(`log of ${namespacedName(pod)}: ${String(error)}`)),
    });
  }

  removeLogs(pod: Pod): void {
    rmSync(this.logsOf(pod), { recursive: true, force: true });
  }

  /** The pod's own directory for volumes. */
  async volumesOf({ metadata }: Pod): Promise<string> {
    return join(await this.volumes.open(), metadata.uid ?? '');
  }

  /** Logs stay: someone may want to know why. */
  async removeVolumes(): Promise<void> {
    await this.volumes.remove();
  }

  private logsOf({ metadata }: Pod): string {
    return join(this.options.path, `${metadata.namespace}_${metadata.name}_${metadata.uid}`);
  }
}

/** `namespace_name_uid`, and volumes. */
function isOurs(name: string): boolean {
  return name === volumeDirectory || /^[^_]+_[^_]+_[0-9a-f-]{36}$/.test(name);
}
