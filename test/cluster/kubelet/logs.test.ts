import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { LogFile } from '../../../src/cluster/kubelet/logs/log-file.ts';
import {
  LineSplitter,
  logTime,
  maxLinePartBytes,
  parseLogLine,
} from '../../../src/cluster/kubelet/logs/log-format.ts';
import { type LogReadOptions, readLog } from '../../../src/cluster/kubelet/logs/log-reader.ts';
import { networkModes } from '../network/cluster.ts';
import { images, isReady, shell, startNode } from './node.ts';

const directories: string[] = [];
const logs: LogFile[] = [];
afterEach(async () => {
  await Promise.all(logs.splice(0).map((log) => log.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

const startMs = Date.UTC(2026, 0, 2, 3, 4, 5);

function openLog(maxBytes = 1_000_000) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-logs-'));
  directories.push(directory);
  const clock = { nowMs: startMs };
  const log = new LogFile(join(directory, '0.log'), {
    maxBytes,
    now: () => clock.nowMs,
    onError: (error) => {
      throw error;
    },
  });
  logs.push(log);
  const source = new PassThrough();
  log.take('stdout', source);
  const write = async (text: string) => {
    source.write(text);
    await new Promise(setImmediate);
    await log.flushed();
  };
  return { directory, log, source, write, clock };
}

async function read(log: LogFile, options: LogReadOptions = {}): Promise<string> {
  let text = '';
  for await (const part of readLog(log, options)) text += part;
  return text;
}

describe('stored log lines', () => {
  it('give back what was written, however it was cut', () => {
    const text = `first\n\nthird ${'ä'.repeat(maxLinePartBytes)}\nlast`;
    const splitter = new LineSplitter('stderr', () => startMs);
    const bytes = Buffer.from(text);
    let stored = '';
    for (let start = 0; start < bytes.length; start += 777)
      stored += splitter.push(bytes.subarray(start, start + 777));
    stored += splitter.end();
    const lines = stored.split('\n').slice(0, -1).map(parseLogLine);
    expect(lines.map((line) => line?.text).join('')).toBe(text);
    expect(new Set(lines.map((line) => line?.stream))).toEqual(new Set(['stderr']));
  });

  it('have times of one length, which sort as they follow', () => {
    expect(logTime(startMs)).toBe('2026-01-02T03:04:05.000000000Z');
    expect(logTime(startMs + 0.25)).toBe('2026-01-02T03:04:05.000250000Z');
    expect(logTime(startMs + 12)).toBe('2026-01-02T03:04:05.012000000Z');
  });
});

describe('a log', () => {
  it('gives everything, or its last lines', async () => {
    const { log, write } = openLog();
    await write('one\ntwo\nthree\n');
    expect(await read(log)).toBe('one\ntwo\nthree\n');
    expect(await read(log, { tailLines: 2 })).toBe('two\nthree\n');
    expect(await read(log, { tailLines: 0 })).toBe('');
    expect(await read(log, { tailLines: 10 })).toBe('one\ntwo\nthree\n');
  });

  it('finds the last lines of a file of many blocks', async () => {
    const { log, write } = openLog(10_000_000);
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`);
    await write(lines.join(''));
    expect(await read(log, { tailLines: 9_999 })).toBe(lines.slice(-9_999).join(''));
  });

  it('gives lines since a time, with their times where asked', async () => {
    const { log, write, clock } = openLog();
    await write('early\n');
    clock.nowMs += 60_000;
    await write('late\n');
    expect(await read(log, { sinceMs: clock.nowMs - 1 })).toBe('late\n');
    expect(await read(log, { sinceMs: clock.nowMs - 1, timestamps: true })).toBe(
      '2026-01-02T03:05:05.000000000Z late\n',
    );
  });

  it('gives no more bytes than asked for', async () => {
    const { log, write } = openLog();
    await write('0123456789\nmore\n');
    expect(await read(log, { limitBytes: 5 })).toBe('01234');
  });

  it('stays within its limit by forgetting the oldest lines', async () => {
    const { log, write, directory } = openLog(10_000);
    for (let index = 0; index < 200; index++) await write(`${'x'.repeat(200)} ${index}\n`);
    const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
    expect(sizes.length).toBe(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10_000);
    const kept = (await read(log)).trim().split('\n');
    expect(kept.at(-1)).toMatch(/ 199$/);
    expect(kept.length).toBeGreaterThan(40);
    expect(await read(log, { tailLines: 60 })).toBe(`${kept.slice(-60).join('\n')}\n`);
  });

  it('is followed across its rotation, and until it ends', async () => {
    const { log, write, source } = openLog(2_000);
    let text = '';
    let asked = () => {};
    const following = (async () => {
      for await (const part of readLog(log, { follow: true })) {
        text += part;
        asked();
      }
    })();
    const lines = Array.from({ length: 100 }, (_, index) => `${'y'.repeat(40)} ${index}\n`);
    for (const line of lines) {
      const arrived = new Promise<void>((resolve) => {
        asked = resolve;
      });
      await write(line);
      await arrived;
    }
    source.end('the last words');
    await following;
    expect(text).toBe(`${lines.join('')}the last words`);
  });

  it('stops being followed when the reader has had enough', async () => {
    const { log, write } = openLog();
    await write('one\n');
    const abort = new AbortController();
    const following = read(log, { follow: true, signal: abort.signal });
    abort.abort();
    expect(await following).toBe('one\n');
  });

  it('is gone from the disk when it is removed', async () => {
    const { log, write } = openLog();
    await write('one\n');
    await log.remove();
    expect(existsSync(log.path)).toBe(false);
  });
});

describe.each(networkModes)("a pod's logs in mode %s", (mode) => {
  it('hold what its program wrote to both outputs', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('talker', { restartPolicy: 'Never', containers: [shell('echo out; echo err >&2')] });
    await node.until('talker', ({ status }) => status?.phase === 'Succeeded');
    const text = await node.call<string>('logs', { name: 'talker' });
    expect(text.split('\n').sort()).toEqual(['', 'err', 'out']);
  });

  it('give the run before with previous, and refuse in the words of the API server where there is none', async () => {
    const node = await startNode(mode, { images });
    const text = shell('if [ -e $FLAG ]; then echo second; sleep 1000; else : >$FLAG; echo first; fi', {
      env: [{ name: 'FLAG', value: join(node.logDirectory, 'flag') }],
    });
    await node.createPod('twice', { containers: [text] });
    await node.until(
      'twice',
      (pod) => isReady(pod) && pod.status?.containerStatuses?.[0]?.restartCount === 1,
    );
    expect(await node.call('logs', { name: 'twice', previous: true })).toBe('first\n');
    await node.createPod('once', { containers: [shell('sleep 1000')] });
    await node.until('once', isReady);
    await expect(node.call('logs', { name: 'once', previous: true })).rejects.toThrow(
      'previous terminated container "app" in pod "once" not found',
    );
    await expect(node.call('logs', { name: 'once', container: 'other' })).rejects.toThrow(
      'container other is not valid for pod once',
    );
    await expect(node.call('logs', { name: 'none' })).rejects.toThrow('pods "none" not found');
  });

  it('cannot be read before the container has started, and the reason is given', async () => {
    const node = await startNode(mode, { images: {} });
    await node.createPod('waiting', { containers: [shell('true')] });
    await node.untilEvent('BackOff');
    await expect(node.call('logs', { name: 'waiting' })).rejects.toThrow(
      'container "app" in pod "waiting" is waiting to start: trying and failing to pull image',
    );
  });
});
