import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { watchConfigurationFile } from '../../../src/ingress/index.ts';

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-watch-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Tells of changes, one after the other. */
function watched(path: string): { next: () => Promise<void>; told: () => number } {
  let told = 0;
  let seen = 0;
  const changes = new EventEmitter();
  const onError = (error: unknown) => {
    throw error;
  };
  const onChange = () => {
    told++;
    changes.emit('change');
  };
  onTestFinished(watchConfigurationFile(path, onChange, onError));
  const next = async () => {
    if (told === seen) await once(changes, 'change');
    seen = told;
  };
  return { next, told: () => told };
}

describe('the configuration file', () => {
  it('is followed when it is written over, and when another is renamed to it', async () => {
    const file = join(directory(), 'traefik.yml');
    writeFileSync(file, 'a');
    const { next: changed } = watched(file);
    writeFileSync(file, 'b');
    await changed();
    writeFileSync(`${file}~`, 'c');
    renameSync(`${file}~`, file);
    await changed();
    // What was renamed is another file: it is followed too.
    writeFileSync(file, 'd');
    await changed();
  });

  it('is followed as the kubelet changes a ConfigMap: by a link to another directory', async () => {
    const mount = directory();
    const version = (name: string, text: string) => {
      mkdirSync(join(mount, name));
      writeFileSync(join(mount, name, 'traefik.yml'), text);
    };
    version('..2026_01', 'a');
    symlinkSync('..2026_01', join(mount, '..data'));
    symlinkSync(join('..data', 'traefik.yml'), join(mount, 'traefik.yml'));
    const { next: changed } = watched(join(mount, 'traefik.yml'));
    for (const [name, text] of [
      ['..2026_02', 'b'],
      ['..2026_03', 'c'],
    ] as const) {
      version(name, text);
      symlinkSync(name, join(mount, '..data_tmp'));
      renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
      await changed();
    }
  });

  it('is told of once, however many events its change makes, and not when only its time is new', async () => {
    const file = join(directory(), 'traefik.yml');
    writeFileSync(file, 'a');
    const { next, told } = watched(file);
    for (const text of ['b', 'b', 'b', 'c']) writeFileSync(file, text);
    await next();
    expect(told()).toBe(1);
    writeFileSync(file, 'c');
    writeFileSync(file, 'd');
    await next();
    expect(told()).toBe(2);
  });
});
