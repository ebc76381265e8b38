import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diskFileSystem, type FileSystem, memoryFileSystem } from '../../src/files/index.ts';
import {
  createRenderer,
  explainField,
  formatObjects,
  renderKustomization,
} from '../../src/kustomize/index.ts';
import { app } from './cases/shared.ts';

const texts: Record<string, string> = {
  '/t/base/kustomization.yaml': 'resources: [app.yaml, extra.yaml]\n',
  '/t/base/app.yaml': app,
  '/t/base/extra.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n',
  '/t/dev/kustomization.yaml': 'resources: [../base]\nnamePrefix: dev-\npatches: [{path: patch.yaml}]\n',
  '/t/dev/patch.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n',
  '/t/prod/kustomization.yaml': 'resources: [../base]\nnamePrefix: prod-\n',
};

/** Files that can change, and count how often each is read. */
function countingFiles() {
  const current = { ...texts };
  const reads = new Map<string, number>();
  const inner = (): FileSystem => memoryFileSystem(current);
  const files: FileSystem = {
    kind: (path) => inner().kind(path),
    entries: (path) => inner().entries(path),
    list: (path) => inner().list(path),
    realPath: (path) => inner().realPath(path),
    read: (path) => inner().read(path),
    readText(path) {
      reads.set(path, (reads.get(path) ?? 0) + 1);
      return inner().readText(path);
    },
  };
  return { files, reads, current };
}

describe('a renderer', () => {
  it('reads the bases that several overlays share once', () => {
    const { files, reads } = countingFiles();
    const renderer = createRenderer(files);
    const dev = formatObjects(renderer.render('/t/dev').objects);
    const prod = formatObjects(renderer.render('/t/prod').objects);
    expect(reads.get('/t/base/app.yaml')).toBe(1);
    expect(dev).toBe(formatObjects(renderKustomization('/t/dev', memoryFileSystem(texts)).objects));
    expect(prod).toBe(formatObjects(renderKustomization('/t/prod', memoryFileSystem(texts)).objects));
  });

  it('reads again only what has changed', () => {
    const { files, reads, current } = countingFiles();
    const renderer = createRenderer(files);
    const before = formatObjects(renderer.render('/t/dev').objects);
    expect(formatObjects(renderer.render('/t/dev').objects)).toBe(before);
    current['/t/base/extra.yaml'] = (texts['/t/base/extra.yaml'] ?? '').replace('a: b', 'a: changed');
    renderer.forget(['/t/base/extra.yaml']);
    expect(formatObjects(renderer.render('/t/dev').objects)).toBe(before.replace('a: b\n', 'a: changed\n'));
    expect([...reads].filter(([, count]) => count > 1)).toEqual([['/t/base/extra.yaml', 2]]);
  });

  it('sees a file that has appeared', () => {
    const { files, current } = countingFiles();
    current['/t/prod/kustomization.yaml'] = 'resources: [../base, new.yaml]\n';
    const renderer = createRenderer(files);
    const failed = renderer.render('/t/prod');
    expect(failed.diagnostics.map((diagnostic) => diagnostic.code)).toEqual(['SL1001']);
    current['/t/prod/new.yaml'] = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new}\n';
    renderer.forget(['/t/prod/new.yaml']);
    expect(renderer.render('/t/prod').diagnostics).toEqual([]);
  });

  it('takes a path over a link, and a directory, for all that is behind them', () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-renderer-')));
    const write = (path: string, name: string): void =>
      writeFileSync(join(root, path), `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`);
    try {
      for (const directory of ['real', 'over']) mkdirSync(join(root, directory));
      symlinkSync('real', join(root, 'link'));
      symlinkSync('target.yaml', join(root, 'over/file.yaml'));
      writeFileSync(join(root, 'real/kustomization.yaml'), 'resources: [a.yaml]\n');
      writeFileSync(join(root, 'over/kustomization.yaml'), 'resources: [../link, file.yaml]\n');
      write('real/a.yaml', 'one');
      write('over/target.yaml', 'two');
      const renderer = createRenderer(diskFileSystem);
      const names = (): string[] =>
        renderer.render(join(root, 'over')).objects.map(({ value }) => value.metadata.name ?? '');
      expect(names()).toEqual(['one', 'two']);
      write('real/a.yaml', 'changed');
      renderer.forget([join(root, 'link/a.yaml')]);
      expect(names()).toEqual(['changed', 'two']);
      write('over/target.yaml', 'other');
      renderer.forget([join(root, 'over/file.yaml')]);
      expect(names()).toEqual(['changed', 'other']);
      write('real/a.yaml', 'again');
      renderer.forget([join(root, 'real')]);
      expect(names()).toEqual(['again', 'other']);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  it('reads anew what has changed though nobody says so, and nothing else', () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-renderer-')));
    const write = (path: string, text: string, time: number): void => {
      writeFileSync(join(root, path), text);
      utimesSync(join(root, path), time, time);
    };
    const object = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
    try {
      write('kustomization.yaml', 'resources: [a.yaml, b.yaml]\n', 1000);
      write('a.yaml', object('one'), 1000);
      write('b.yaml', object('two'), 1000);
      const reads: string[] = [];
      const files: FileSystem = {
        ...diskFileSystem,
        // As it is for files that were not changed just now.
        stamp: (path) => String(statSync(path).mtimeMs),
        readText(path) {
          reads.push(basename(path));
          return diskFileSystem.readText(path);
        },
      };
      const renderer = createRenderer(files);
      const names = () => renderer.render(root).objects.map(({ value }) => value.metadata.name);
      expect(names()).toEqual(['one', 'two']);
      write('b.yaml', object('new'), 2000);
      renderer.forget([join(root, 'other.yaml')]);
      expect(names()).toEqual(['new', 'one']);
      expect(reads.sort()).toEqual(['a.yaml', 'b.yaml', 'b.yaml', 'kustomization.yaml']);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  it('reads a file anew that was changed a moment ago, whatever its times are', () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-renderer-')));
    const write = (name: string): void =>
      writeFileSync(join(root, 'a.yaml'), `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`);
    try {
      writeFileSync(join(root, 'kustomization.yaml'), 'resources: [a.yaml]\n');
      const renderer = createRenderer(diskFileSystem);
      for (const name of ['one', 'two', 'six']) {
        write(name);
        renderer.forget([]);
        expect(renderer.render(root).objects.map(({ value }) => value.metadata.name)).toEqual([name]);
      }
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  it('leaves what it keeps untouched by the patches of a render', () => {
    const renderer = createRenderer(memoryFileSystem(texts));
    const first = formatObjects(renderer.render('/t/dev').objects);
    renderer.render('/t/prod');
    expect(formatObjects(renderer.render('/t/dev').objects)).toBe(first);
  });
});

describe('a rendered object', () => {
  const { objects } = renderKustomization('/t/dev', memoryFileSystem(texts), {
    workingDirectory: '/t',
    explain: true,
  });
  const deployment = objects.find((object) => object.value.kind === 'Deployment');

  it('is a plain value of what is printed', () => {
    expect(deployment?.value).toMatchObject({ metadata: { name: 'dev-web' }, spec: { replicas: 3 } });
  });

  it('knows where a value was last set, or the nearest place around it', () => {
    expect(deployment?.locate(['spec', 'replicas'])).toEqual({ file: 'dev/patch.yaml', line: 4, column: 18 });
    expect(deployment?.locate(['spec', 'nothing', 'here'])).toMatchObject({ file: 'base/app.yaml' });
    expect(deployment?.locate(['metadata', 'name']).file).toBe('dev/kustomization.yaml');
  });

  it('knows everything that set a value', () => {
    const settings = deployment && explainField(deployment, 'metadata.name');
    expect(settings?.map(({ by, text }) => [by, text])).toEqual([
      ['resources', 'web'],
      ['namePrefix', 'dev-web'],
    ]);
  });
});
