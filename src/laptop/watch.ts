/** Tells when the files of a plan change. */

import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { watch } from 'chokidar';
import { bootstrapDirectory } from './tree.ts';

/** Editors write a file in several steps: events this close together are one edit. */
const settleMs = 30;

/** What a watch follows: a plan, as far as it matters here. */
export interface WatchedFiles {
  readonly root: string;
  /** Absolute paths. */
  readonly filesRead: readonly string[];
}

export interface TreeWatch {
  /** Resolves when every edit from now on is noticed. */
  readonly ready: Promise<void>;
  /** Watches what these depend on, and nothing else, from now on. */
  follow(files: WatchedFiles): void;
  close(): Promise<void>;
}

/**
 * Watches the directories of the files that were read (a file that is not there yet is one that may be added), not the
 * whole tree: node_modules and the like cost nothing. `onChange` hears of the paths that may have changed since it was last called.
 */
export function watchTree(files: WatchedFiles, onChange: (paths: readonly string[]) => void): TreeWatch {
  const followed = directoriesOf(files);
  const watcher = watch([...followed], { ignoreInitial: true, depth: 0 });
  const ready = once(watcher, 'ready').then(() => undefined);
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    const paths = [...changed];
    changed.clear();
    onChange(paths);
  };
  watcher.on('all', (_, path) => {
    changed.add(path);
    clearTimeout(timer);
    timer = setTimeout(tell, settleMs);
  });
  return {
    ready,
    follow(next) {
      const wanted = directoriesOf(next);
      for (const directory of followed) {
        if (wanted.has(directory)) continue;
        watcher.unwatch(directory);
        followed.delete(directory);
      }
      for (const directory of wanted) {
        if (followed.has(directory)) continue;
        watcher.add(directory);
        followed.add(directory);
        // Nobody has looked after it since it was read.
        changed.add(directory);
      }
    },
    async close() {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}

function directoriesOf({ root, filesRead }: WatchedFiles): Set<string> {
  return new Set([root, join(root, bootstrapDirectory), ...filesRead.map((file) => dirname(file))]);
}
