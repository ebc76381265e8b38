import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { restMarkOf, threadMark } from '../../../src/cluster/network/activity.ts';
import { childrenOf } from '../../../src/cluster/network/pod-process.ts';

const status = (state: string, voluntary: number, involuntary: number) =>
  `Name:\tnode\nState:\t${state}\nvoluntary_ctxt_switches:\t${voluntary}\nnonvoluntary_ctxt_switches:\t${involuntary}\n`;

describe('the mark of a thread', () => {
  it('is absent while it runs, waits for a core or waits for a disk', () => {
    expect(threadMark(status('R (running)', 5, 6))).toBeUndefined();
    expect(threadMark(status('D (disk sleep)', 5, 6))).toBeUndefined();
  });

  it('is the same for as long as it sleeps, and another one after it has run', () => {
    const asleep = threadMark(status('S (sleeping)', 5, 6));
    expect(asleep).toBeDefined();
    expect(threadMark(status('S (sleeping)', 5, 6))).toBe(asleep);
    expect(threadMark(status('S (sleeping)', 6, 6))).not.toBe(asleep);
    expect(threadMark(status('S (sleeping)', 5, 7))).not.toBe(asleep);
  });

  it('does not hold up the end of a pod when it is stopped or gone', () => {
    expect(threadMark(status('T (stopped)', 5, 6))).toBeDefined();
    expect(threadMark('')).toBeDefined();
  });
});

describe.runIf(process.platform === 'linux')('the mark of a program', () => {
  it('is absent for the one that asks', () => {
    expect(restMarkOf([{ pid: process.pid }])).toBeUndefined();
  });

  it('is there for one that has ended', () => {
    expect(restMarkOf([{ pid: undefined }])).toBe('');
  });
});

describe.runIf(process.platform === 'linux')('the children of a process', () => {
  it('are found whichever of its threads started them', async () => {
    const source = `
      const { parentPort } = require('node:worker_threads');
      const child = require('node:child_process').spawn('sleep', ['1000']);
      parentPort.postMessage(child.pid);
      parentPort.once('message', () => child.kill('SIGKILL'));
      child.once('exit', () => parentPort.postMessage('ended'));`;
    const worker = new Worker(source, { eval: true });
    const [pid] = await once(worker, 'message');
    expect(childrenOf(process.pid)).toContain(pid);
    const ended = once(worker, 'message');
    worker.postMessage('end');
    expect(await ended).toEqual(['ended']);
    await worker.terminate();
  });
});
