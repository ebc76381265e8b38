import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchTree } from '../../src/laptop/index.ts';

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-watch-')));
  for (const directory of ['base', 'later']) mkdirSync(join(root, directory));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The paths of each call, one after the other. */
function calls() {
  const queue: (readonly string[])[] = [];
  let wake = (): void => undefined;
  return {
    push(paths: readonly string[]): void {
      queue.push(paths);
      wake();
    },
    async next(): Promise<readonly string[]> {
      while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return queue.shift() ?? [];
    },
  };
}

describe('the watch over a tree', () => {
  it('names the paths that changed, and directories that it has only begun to follow', async () => {
    const told = calls();
    const [file, later] = [join(root, 'base/a.yaml'), join(root, 'later')];
    const watch = watchTree({ root, filesRead: [file] }, (paths) => told.push(paths));
    try {
      await watch.ready;
      writeFileSync(file, 'a: 1\n');
      expect(await told.next()).toEqual([file]);
      watch.follow({ root, filesRead: [file, join(later, 'b.yaml')] });
      writeFileSync(file, 'a: 2\n');
      expect(await told.next()).toEqual(expect.arrayContaining([file, later]));
    } finally {
      await watch.close();
    }
  });
});
