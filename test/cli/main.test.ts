import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const repository = resolve(import.meta.dirname, '../..');

function sluice(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(repository, 'bin/sluice.js'), ...args],
    {
      encoding: 'utf8',
    },
  );
  return { status, stdout, stderr };
}

describe('the command line', () => {
  it('prints the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(sluice('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('lists its commands with --help, on stdout', () => {
    const { status, stdout } = sluice('--help');
    expect(status).toBe(0);
    for (const command of ['up', 'build', 'proxy'])
      expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
  });

  it('exits with 2 on a command that does not exist, and says so on stderr', () => {
    const { status, stdout, stderr } = sluice('biuld');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/unknown command 'biuld'/);
    expect(stderr).toMatch(/Did you mean build/);
  });

  it('exits with 2 on an option that does not exist', () => {
    const { status, stderr } = sluice('up', '--onec');
    expect(status).toBe(2);
    expect(stderr).toMatch(/unknown option '--onec'/);
  });
});
