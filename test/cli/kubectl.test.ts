import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const sluice = resolve(import.meta.dirname, '../../bin/sluice.js');

describe('sluice kubectl', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-kubectl-'));
    mkdirSync(join(directory, 'tree/below'), { recursive: true });
    mkdirSync(join(directory, 'bin'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** A kubectl that says what it was given, and ends with 3. */
  function installKubectl(): void {
    const file = join(directory, 'bin/kubectl');
    writeFileSync(file, '#!/bin/sh\necho "$KUBECONFIG: $*"\ncat\nexit 3\n');
    chmodSync(file, 0o755);
  }

  function run(...words: string[]) {
    return spawnSync(process.execPath, [sluice, 'kubectl', ...words], {
      cwd: join(directory, 'tree/below'),
      env: { PATH: `${join(directory, 'bin')}:/bin:/usr/bin`, HOME: directory, NO_COLOR: '1' },
      input: 'typed\n',
      encoding: 'utf8',
    });
  }

  function startCluster(): string {
    const file = join(directory, 'tree/.sluice/kubeconfig');
    mkdirSync(join(directory, 'tree/.sluice'));
    writeFileSync(file, '');
    return file;
  }

  it('runs kubectl on the cluster above, with its arguments, input and exit code as they are', () => {
    installKubectl();
    const kubeconfig = startCluster();
    const { stdout, status } = run('get', 'pods', '-n', 'backend', '--help', '-o=wide', '--', 'x y');
    expect(stdout).toBe(`${kubeconfig}: get pods -n backend --help -o=wide -- x y\ntyped\n`);
    expect(status).toBe(3);
  });

  it('says where there is no cluster, or no kubectl', () => {
    installKubectl();
    const without = run('get', 'pods');
    expect(without.stderr).toContain('SL4050: no .sluice/kubeconfig in this directory or above it');
    expect(without.status).toBe(2);
    startCluster();
    rmSync(join(directory, 'bin/kubectl'));
    const { stderr, status } = spawnSync(process.execPath, [sluice, 'kubectl', 'version'], {
      cwd: join(directory, 'tree'),
      env: { PATH: join(directory, 'bin'), HOME: directory, NO_COLOR: '1' },
      encoding: 'utf8',
    });
    expect(stderr).toContain('SL4051: there is no kubectl on PATH');
    expect(status).toBe(2);
  });
});
