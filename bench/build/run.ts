/**
 * `npm run bench:build`: sluice build against kubectl kustomize, in turn on the same trees, so that only their ratio counts. Prints
 * tables of medians in Markdown. `--quick` leaves the largest trees out, which take kubectl minutes.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { diskFileSystem } from '../../src/files/index.ts';
import { createRenderer } from '../../src/kustomize/index.ts';
import { type TreeOptions, writeTree } from './tree.ts';

const isQuick = process.argv.includes('--quick');
const sluice = resolve('bin/sluice.js');

interface Measured {
  readonly seconds: number;
  /** User and system time, which other programs on the machine disturb less than the clock. */
  readonly cpuSeconds: number;
  readonly output: string;
}

/** Runs a command in a shell, which knows the CPU time of its children. */
function runOnce(directory: string, command: string, args: readonly string[]): Measured {
  const outputFile = join(directory, 'output.yaml');
  const script = `output=$1; shift; "$@" > "$output" || exit 1; times`;
  const start = process.hrtime.bigint();
  const result = spawnSync('sh', ['-c', script, 'sh', outputFile, command, ...args], { encoding: 'utf8' });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (result.status !== 0) throw new Error(`${command} failed: ${result.stderr}`);
  const children = [...(result.stdout.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  const cpuSeconds = children.reduce(
    (sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest),
    0,
  );
  return { seconds, cpuSeconds, output: readFileSync(outputFile, 'utf8') };
}

interface Both {
  readonly ours: readonly Measured[];
  readonly theirs: readonly Measured[];
}

/** Ours before and after each of theirs, so that a change of the machine's speed is everyone's. */
function inTurn(turns: number, directory: string, overlay: string): Both {
  const runOurs = () => runOnce(directory, process.execPath, [sluice, 'build', overlay]);
  const ours = [runOurs()];
  const theirs: Measured[] = [];
  for (let turn = 0; turn < turns; turn++) {
    ours.push(runOurs());
    theirs.push(runOnce(directory, 'kubectl', ['kustomize', overlay]));
    ours.push(runOurs());
  }
  return { ours, theirs };
}

type Time = 'seconds' | 'cpuSeconds';

function sortedTimes(runs: readonly Measured[], time: Time): number[] {
  return runs.map((run) => run[time]).sort((one, other) => one - other);
}

function median(runs: readonly Measured[], time: Time): number {
  return sortedTimes(runs, time)[Math.floor(runs.length / 2)] ?? 0;
}

const sameness = ({ ours, theirs }: Both): string =>
  ours[0]?.output === theirs[0]?.output ? 'same' : 'DIFFERENT';

function compare(options: TreeOptions): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-render-'));
  try {
    const overlay = writeTree(directory, options);
    const isLarge = options.resources >= 3000 || options.resources * options.patches >= 30_000;
    const both = inTurn(isLarge ? 1 : 3, directory, overlay);
    const medians = (time: Time) => [median(both.ours, time), median(both.theirs, time)] as const;
    const [ourCpu, theirCpu] = medians('cpuSeconds');
    const [ourClock, theirClock] = medians('seconds');
    const { resources, files, patches, withNames } = options;
    const cells = [
      resources,
      files === 'one' ? 'one file' : 'a file each',
      patches,
      withNames ? 'yes' : 'no',
      `${ourCpu.toFixed(2)} s`,
      `${theirCpu.toFixed(2)} s`,
      `${ourClock.toFixed(2)} s`,
      `${theirClock.toFixed(2)} s`,
      `${(theirClock / ourClock).toFixed(1)} ×`,
      sameness(both),
    ];
    return `| ${cells.join(' | ')} |`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** An overlay of this repository, by both in turn. */
function compareOverlay(overlay: string, turns: number): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-render-'));
  try {
    const both = inTurn(turns, directory, overlay);
    const line = (name: string, runs: readonly Measured[]): string => {
      const times = (['cpuSeconds', 'seconds'] as const).flatMap((time) => [
        sortedTimes(runs, time)[0] ?? 0,
        median(runs, time),
      ]);
      return `| ${[name, ...times.map((seconds) => `${seconds.toFixed(3)} s`), sameness(both)].join(' | ')} |`;
    };
    return [line('sluice build', both.ours), line('kubectl kustomize', both.theirs)];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A second render in the same process, after one file has changed. */
function rerender(resources: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-render-'));
  try {
    const overlay = writeTree(directory, { resources, files: 'each', patches: 2, withNames: false });
    const renderer = createRenderer(diskFileSystem);
    const time = (): number => {
      const start = process.hrtime.bigint();
      renderer.render(overlay);
      return Number(process.hrtime.bigint() - start) / 1e6;
    };
    const firstMs = time();
    renderer.forget([join(directory, 'base/object-0.yaml')]);
    const secondMs = time();
    return `| ${resources} | ${firstMs.toFixed(0)} ms | ${secondMs.toFixed(0)} ms |`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const plain = { files: 'each', patches: 0, withNames: false } as const;
const trees: readonly TreeOptions[] = [
  { ...plain, resources: 10 },
  { ...plain, resources: 100 },
  { ...plain, resources: 1000 },
  { ...plain, resources: 1000, files: 'one' },
  { ...plain, resources: 1000, withNames: true },
  { ...plain, resources: 100, patches: 30 },
  ...(isQuick
    ? []
    : [
        { ...plain, resources: 1000, patches: 30 },
        { ...plain, resources: 3000 },
        { ...plain, resources: 3000, patches: 2 },
        { ...plain, resources: 3000, patches: 2, withNames: true },
        { ...plain, resources: 1000, patches: 100 },
        { ...plain, resources: 3000, files: 'one' as const, withNames: true },
      ]),
];

console.log(
  '| resources | files | targeted patches | prefix and namespace | sluice, CPU | kubectl, CPU | sluice, clock | kubectl, clock | faster | bytes |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |');
for (const tree of trees) console.log(compare(tree));
const guide = 'apps/backend/udp-demo/overlays/development';
console.log(`\n| ${guide} | CPU, best | CPU, median | clock, best | clock, median | bytes |`);
console.log('| --- | --- | --- | --- | --- | --- |');
for (const line of compareOverlay(guide, 21)) console.log(line);
console.log('\n| resources | first render | after one file changed |');
console.log('| --- | --- | --- |');
for (const resources of [100, 1000, 3000]) console.log(rerender(resources));
