import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskFileSystem, type FileSystem } from '../../src/files/index.ts';
import { createRenderer, renderKustomization } from '../../src/kustomize/index.ts';

const names = Array.from({ length: 40 }, (_, index) => `object-${index}.yaml`);
const object = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-many-'));
  mkdirSync(join(root, 'tree/below'), { recursive: true });
  for (const name of names) writeFileSync(join(root, 'tree', name), object(name));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function codesWith(extra: string, files: FileSystem = diskFileSystem): readonly string[] {
  const entries = [...names, extra].map((name) => `- ${name}\n`).join('');
  writeFileSync(join(root, 'tree/kustomization.yaml'), `resources:\n${entries}`);
  const { diagnostics, objects } = renderKustomization(join(root, 'tree'), files);
  return diagnostics.length > 0 ? diagnostics.map(({ code }) => code) : [`${objects.length} objects`];
}

describe('a directory of many files', () => {
  it('is looked at once, not once for each file', () => {
    const asked: string[] = [];
    const files: FileSystem = {
      ...diskFileSystem,
      kind: (path) => {
        asked.push(path);
        return diskFileSystem.kind(path);
      },
    };
    writeFileSync(join(root, 'tree/one.yaml'), object('one'));
    expect(codesWith('one.yaml', files)).toEqual(['41 objects']);
    expect(asked.filter((path) => path.includes('object-'))).toEqual([]);
  });

  it('may hold links to files in or below it, and directories', () => {
    writeFileSync(join(root, 'tree/below/real.yaml'), object('real'));
    symlinkSync('below/real.yaml', join(root, 'tree/link.yaml'));
    expect(codesWith('link.yaml')).toEqual(['41 objects']);
    writeFileSync(join(root, 'tree/below/kustomization.yaml'), 'resources: [real.yaml]\n');
    expect(codesWith('below')).toEqual(['41 objects']);
  });

  it('may hold texts with the sign that stands for what is no text, and no bytes that are none', () => {
    writeFileSync(join(root, 'tree/sign.yaml'), object('sign').replace('\n', '\n# \ufffd\n'));
    expect(codesWith('sign.yaml')).toEqual(['41 objects']);
    writeFileSync(
      join(root, 'tree/bytes.yaml'),
      Buffer.concat([Buffer.from(object('bytes')), Buffer.of(0xff)]),
    );
    expect(codesWith('bytes.yaml')).toEqual(['SL1002']);
  });

  it('may not hold links that lead out of it', () => {
    writeFileSync(join(root, 'outside.yaml'), object('outside'));
    symlinkSync('../outside.yaml', join(root, 'tree/link.yaml'));
    expect(codesWith('link.yaml')).toEqual(['SL1006']);
    symlinkSync('nowhere.yaml', join(root, 'tree/dangling.yaml'));
    expect(codesWith('dangling.yaml')).toEqual(['SL1001']);
  });

  it('is looked at again when something has changed', () => {
    expect(codesWith('new.yaml')).toEqual(['SL1001']);
    const renderer = createRenderer(diskFileSystem);
    expect(renderer.render(join(root, 'tree')).objects).toEqual([]);
    writeFileSync(join(root, 'tree/new.yaml'), object('new'));
    renderer.forget([join(root, 'tree/new.yaml')]);
    expect(renderer.render(join(root, 'tree')).objects).toHaveLength(41);
  });
});
