import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const repository = resolve(import.meta.dirname, '../..');
const overlay = join(repository, 'apps/backend/udp-demo/overlays/development');

function node(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('the bundled command line', () => {
  let copy: string;
  const bundled = () => readdirSync(join(copy, 'dist/bundle'));
  const bytecode = () => bundled().filter((name) => name.endsWith('.bytecode'));
  const build = (root: string) => node(join(root, 'bin/sluice.js'), 'build', overlay);

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'sluice-bundle-'));
    for (const path of ['bin', 'dist/bundle', 'package.json']) {
      cpSync(join(repository, path), join(copy, path), { recursive: true });
    }
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it('needs no package and no other file to render', () => {
    expect(build(copy)).toEqual(build(repository));
    expect(build(copy).stdout).toMatch(/^kind: IngressRouteUDP$/m);
  });

  it('is started with bytecode that this Node takes, but for its entry', () => {
    const script = `
      const { load, scripts } = require(${JSON.stringify(join(copy, 'bin/load.js'))});
      load('main.cjs');
      for (const [name, script] of scripts) console.log(name.split('/').at(-1), script.cachedDataRejected);
    `;
    const lines = node('-e', script).stdout.trim().split('\n');
    expect(lines[0]).toBe('main.cjs undefined');
    expect(lines.slice(1).map((line) => line.split(' ')[1])).toEqual(['false', 'false']);
  });

  it('takes the bytecode of what it loads after a build too', () => {
    const script = `
      const { load, scripts } = require(${JSON.stringify(join(copy, 'bin/load.js'))});
      const { main } = load('main.cjs');
      const [overlay] = process.argv.slice(1);
      main(['build', overlay]).then(() => main(['ingress', '--dry-run', overlay])).then(() => {
        for (const [name, script] of scripts) console.error('script', /[a-z]+/.exec(name.split('/').at(-1))[0], script.cachedDataRejected);
      });
    `;
    const lines = node('-e', script, overlay).stderr.split('\n');
    const scripts = lines.filter((line) => line.startsWith('script '));
    const rejected = scripts.filter((line) => line.endsWith(' true'));
    expect(scripts).toContain('script render false');
    expect(scripts).toContain('script ingress false');
    expect(rejected).toEqual([]);
  });

  it('loads the renderer for build alone', () => {
    const script = `
      const { load, scripts } = require(${JSON.stringify(join(copy, 'bin/load.js'))});
      load('main.cjs').main(process.argv.slice(1)).then(() => {
        console.error([...scripts.keys()].some((name) => name.includes('/render-')), process.moduleLoadList.includes('NativeModule child_process'));
      });
    `;
    expect(node('-e', script, 'build', overlay).stderr).toBe('true false\n');
    expect(node('-e', script, 'proxy', 'udp', '--help').stderr).toBe('false false\n');
  });

  it('gives the same with damaged bytecode and without any', () => {
    const whole = build(repository);
    for (const name of bytecode()) truncateSync(join(copy, 'dist/bundle', name), 1000);
    expect(build(copy)).toEqual(whole);
    for (const name of bytecode()) rmSync(join(copy, 'dist/bundle', name));
    expect(build(copy)).toEqual(whole);
  });
});
