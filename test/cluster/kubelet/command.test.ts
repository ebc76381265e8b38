import { describe, expect, it } from 'vitest';
import { BackOff, formatDelay } from '../../../src/cluster/kubelet/back-off.ts';
import { commandLine, expandVariables } from '../../../src/cluster/kubelet/command.ts';
import { findImageProgram, unmappedImageAdvice } from '../../../src/cluster/kubelet/images.ts';

describe("a container's command line", () => {
  const program = { command: ['node', 'main.js'] };
  const container = { name: 'app', image: 'app' };

  it.each([
    [{}, ['node', 'main.js']],
    [{ args: ['--port', '4444'] }, ['node', 'main.js', '--port', '4444']],
    [{ command: ['other'] }, ['other']],
    [{ command: ['other'], args: ['-x'] }, ['other', '-x']],
    [{ command: [], args: ['-x'] }, ['node', 'main.js', '-x']],
  ])('with %j is %j', (more, expected) => {
    expect(commandLine({ ...container, ...more }, program, {})).toEqual(expected);
  });

  it('has variables in it replaced', () => {
    const more = { args: ['$(PORT)', '$(UNKNOWN)', '$$(PORT)', 'a$(PORT)b', '$PORT'] };
    expect(commandLine({ ...container, ...more }, program, { PORT: '4444' }).slice(2)).toEqual([
      '4444',
      '$(UNKNOWN)',
      '$(PORT)',
      'a4444b',
      '$PORT',
    ]);
  });

  it('is not confused by names that objects have by nature', () => {
    expect(expandVariables('$(constructor)', {})).toBe('$(constructor)');
  });
});

describe("an image's program", () => {
  const any = { command: ['any'] };
  const tagged = { command: ['tagged'] };

  it.each([
    ['app', 'app'],
    ['app', 'app:1.2'],
    ['app', 'docker.io/library/app:1.2'],
    ['docker.io/library/app', 'app'],
    ['team/app', 'docker.io/team/app@sha256:0123'],
    ['app:1.2', 'app:1.2@sha256:0123'],
    ['app:latest', 'app'],
    ['localhost:5000/app', 'localhost:5000/app:1.2'],
  ])('mapped as %s is found for %s', (name, image) => {
    expect(findImageProgram({ [name]: any }, image)).toBe(any);
  });

  it.each([
    ['app:1.2', 'app:1.3'],
    ['app', 'team/app'],
    ['localhost', 'localhost:5000/app'],
  ])('mapped as %s is not found for %s', (name, image) => {
    expect(findImageProgram({ [name]: any }, image)).toBeUndefined();
  });

  it('is the one with the tag where there are both', () => {
    expect(findImageProgram({ app: any, 'app:1.2': tagged }, 'app:1.2')).toBe(tagged);
    expect(findImageProgram({ app: any, 'app:1.2': tagged }, 'app:1.3')).toBe(any);
  });

  it('is asked for by the name that needs no tag', () => {
    expect(unmappedImageAdvice({ image: 'docker.io/team/app:1.2' }, 'sluice.yaml')).toContain(
      'sluice.yaml: images: { team/app: { command:',
    );
  });
});

describe('restarts of a container', () => {
  const times = { firstMs: 1000, maxMs: 5000, resetMs: 60_000 };

  it('come at once, then after a time that doubles up to the longest', () => {
    const backOff = new BackOff(times);
    expect(Array.from({ length: 6 }, () => backOff.delayAfter(10))).toEqual([
      0, 1000, 2000, 4000, 5000, 5000,
    ]);
  });

  it('begin anew after it ran for long', () => {
    const backOff = new BackOff(times);
    for (let end = 0; end < 4; end++) backOff.delayAfter(10);
    expect(backOff.delayAfter(60_000)).toBe(0);
    expect(backOff.delayAfter(10)).toBe(1000);
  });

  it.each([
    [500, '500ms'],
    [10_000, '10s'],
    [80_000, '1m20s'],
    [300_000, '5m0s'],
  ])('after %i ms are said to come after %s', (delayMs, text) => {
    expect(formatDelay(delayMs)).toBe(text);
  });
});
