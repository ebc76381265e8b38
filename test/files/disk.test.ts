import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { diskFileSystem, FileNotFoundError, memoryFileSystem } from '../../src/files/index.ts';

const root = mkdtempSync(join(tmpdir(), 'sluice-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
writeFileSync(join(root, 'file'), 'content');
mkdirSync(join(root, 'directory'));
symlinkSync('file', join(root, 'link'));
symlinkSync('loop', join(root, 'loop'));

describe('the files of this machine', () => {
  it.each([
    ['file', 'file'],
    ['directory', 'directory'],
    ['link', 'file'],
    ['absent', undefined],
    // Below a file, and behind a link to itself: whoever looks for a file there has found none.
    ['file/below', undefined],
    ['loop', undefined],
  ])('%s is %s', (name, kind) => {
    expect(diskFileSystem.kind(join(root, name))).toBe(kind);
  });

  it('are told by the names of a directory, links as links', () => {
    const entries = diskFileSystem.entries(root);
    const expected = { file: 'file', directory: 'directory', link: 'link', loop: 'link' };
    expect(Object.fromEntries(entries ?? [])).toEqual(expected);
    expect(diskFileSystem.entries(join(root, 'absent'))).toBeUndefined();
  });

  it('are read as text with a mark for what is no text, and with the byte order mark', () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0x62, 0xc3, 0xa9]);
    writeFileSync(join(root, 'mixed'), bytes);
    expect(diskFileSystem.readText(join(root, 'mixed'))).toBe('\ufeffa\ufffdb\u00e9');
    expect(memoryFileSystem({ '/mixed': bytes }).readText('/mixed')).toBe('\ufeffa\ufffdb\u00e9');
    expect(() => memoryFileSystem({}).readText('/absent')).toThrow(FileNotFoundError);
    rmSync(join(root, 'mixed'));
  });

  it('are read through links, and refused by name where they are not', () => {
    expect(String(diskFileSystem.read(join(root, 'link')))).toBe('content');
    expect(diskFileSystem.readText(join(root, 'link'))).toBe('content');
    expect(() => diskFileSystem.readText(join(root, 'absent'))).toThrow(FileNotFoundError);
    expect(() => diskFileSystem.read(join(root, 'absent'))).toThrow(FileNotFoundError);
    expect(() => diskFileSystem.list(join(root, 'absent'))).toThrow(/absent/);
    expect(diskFileSystem.realPath(join(root, 'link'))).toMatch(/\/file$/);
  });
});
