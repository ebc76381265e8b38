/** What the tree said last, kept beside the objects: what it no longer says is pruned in the next run too. */

import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { KubeObject } from '../kubernetes/index.ts';
import type { AppliedMemory } from './applier.ts';

/** A file that cannot be read is told, and prunes nothing: what is not known to be the tree's is left alone. */
export function openAppliedFile(path: string, onError: (error: unknown) => void): AppliedMemory {
  let written = '';
  return {
    objects: read(path, onError),
    async save(objects) {
      const text = JSON.stringify(objects);
      if (text === written) return;
      try {
        // It names Secrets' values, as the objects beside it do.
        await writeFile(`${path}.new`, text, { mode: 0o600 });
        await rename(`${path}.new`, path);
        written = text;
      } catch (error) {
        onError(error);
      }
    },
  };
}

function read(path: string, onError: (error: unknown) => void): readonly KubeObject[] {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as KubeObject[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onError(error);
    return [];
  }
}
