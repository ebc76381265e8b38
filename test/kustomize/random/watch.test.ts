import { describe, expect, it } from 'vitest';
import { type FileSystem, memoryFileSystem } from '../../../src/files/index.ts';
import { createRenderer, formatObjects, type Renderer } from '../../../src/kustomize/index.ts';
import type { CaseFiles } from '../cases/shared.ts';
import { featureTree } from './features.ts';
import { Random, randomTree } from './generate.ts';
import { mutate } from './mutate.ts';

const count = Number(process.env.SLUICE_KUSTOMIZE_WATCHED ?? 60);
const first = Number(process.env.SLUICE_KUSTOMIZE_FIRST_SEED ?? 1);
const changesPerTree = 6;

/** Files that are exchanged while a renderer holds on to them. */
class ChangingFiles {
  current: CaseFiles;

  constructor(files: CaseFiles) {
    this.current = files;
  }

  get #inner(): FileSystem {
    return memoryFileSystem(
      Object.fromEntries(Object.entries(this.current).map(([path, text]) => [`/t/${path}`, text])),
    );
  }

  readonly system: FileSystem = {
    kind: (path) => this.#inner.kind(path),
    entries: (path) => this.#inner.entries(path),
    list: (path) => this.#inner.list(path),
    realPath: (path) => this.#inner.realPath(path),
    read: (path) => this.#inner.read(path),
    readText: (path) => this.#inner.readText(path),
  };
}

/** The files after one change, and the paths that a watcher would name. */
function change(files: CaseFiles, other: CaseFiles, random: Random): [files: CaseFiles, paths: string[]] {
  const path = random.pick(Object.keys(files));
  const text = files[path] ?? '';
  switch (random.below(6)) {
    case 0:
      return [Object.fromEntries(Object.entries(files).filter(([name]) => name !== path)), [path]];
    case 1:
      return [{ ...files, [path]: mutate(text, random) }, [path]];
    case 2: {
      const added = random.pick(Object.keys(other));
      return [{ ...files, [added]: other[added] ?? '' }, [added]];
    }
    case 3: {
      const beside = path.replace(
        /[^/]*$/,
        random.pick(['kustomization.yaml', 'kustomization.yml', 'new.yaml']),
      );
      return [{ ...files, [beside]: text }, [beside]];
    }
    case 4: {
      const swapped = random.pick(Object.keys(files));
      return [{ ...files, [path]: files[swapped] ?? '', [swapped]: text }, [path, swapped]];
    }
    default:
      return [{ ...files, [path]: text.replace(/web/, 'db').replace(/: 1/, ': 2') }, [path]];
  }
}

/** All that a render says, and whether it found nothing wrong. */
function shown(renderer: Renderer): { text: string; isGood: boolean } {
  const parts = ['/t/over', '/t/base'].map((directory) => {
    const { objects, diagnostics, filesRead } = renderer.render(directory);
    const isGood = diagnostics.every(({ severity }) => severity !== 'error');
    const places = objects.map((object) => object.locate(['metadata', 'name']));
    return { isGood, all: [isGood && formatObjects(objects), diagnostics, [...filesRead].sort(), places] };
  });
  return { text: JSON.stringify(parts), isGood: parts.every(({ isGood }) => isGood) };
}

describe('a renderer that is told what has changed', () => {
  it(`says what a new one says (${count} trees, ${changesPerTree} changes each)`, {
    timeout: 24 * 3600_000,
  }, () => {
    for (let seed = first; seed < first + count; seed++) {
      const random = new Random(seed);
      const makeTree = random.chance(0.5) ? featureTree : randomTree;
      const files = new ChangingFiles(makeTree(seed));
      const renderer = createRenderer(files.system, { workingDirectory: '/t' });
      let before = { files: files.current, isGood: shown(renderer).isGood };
      for (let step = 0; step < changesPerTree; step++) {
        const [changed, paths] = change(files.current, makeTree(seed + 1_000_000), random);
        files.current = changed;
        renderer.forget(paths.map((path) => `/t/${path}`));
        const after = shown(renderer);
        const anew = shown(createRenderer(files.system, { workingDirectory: '/t' }));
        expect(after.text, `seed ${seed}, step ${step}`).toBe(anew.text);
        // What broke the tree is mended, or nothing but errors would be compared.
        if (before.isGood && !after.isGood) {
          files.current = before.files;
          renderer.forget(paths.map((path) => `/t/${path}`));
        } else before = { files: changed, isGood: after.isGood };
      }
    }
  });
});
