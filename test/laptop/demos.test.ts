/** The four rows of the guide's port table, each through its node port with its real client. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from '../support/programs.ts';
import { copyTree, type Run, runUp, stopRun, type TreeCopy } from './sluice-up.ts';

const programs = ['redis-server', 'redis-cli', 'dnsmasq', 'dig', 'dnsperf', 'nc', 'socat'];
const missing = programs.filter((name) => !hasProgram(name));

describe.skipIf(missing.length > 0)(`the demos of the example tree (need ${programs.join(', ')})`, () => {
  let tree: TreeCopy;
  let run: Run;

  beforeAll(async () => {
    tree = copyTree('all');
    run = runUp(tree.root);
    await run.line(/ready in \d+ ms/);
  }, 60_000);

  afterAll(async () => {
    await stopRun(run);
    tree.remove();
  });

  async function shell(script: string, input?: string): Promise<string> {
    const child = spawn('bash', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.stdin.end(input);
    await once(child, 'close');
    return printed;
  }

  it('show the UDP ones in the table, and every Deployment rolled out', () => {
    expect(run.stdout()).toMatch(/^backend\/dns-service +dns +30053 +UDP +1\/1 /m);
    expect(run.stdout()).toMatch(/^backend\/udp-echo-service +myudp +30998 +UDP +1\/1 /m);
    expect(run.output()).toMatch(/√ pods +5\/5 ready/);
  });

  it('tcp-demo echoes over TCP at 30999', async () => {
    expect(await shell(`nc -N -w 5 ${run.address} 30999`, 'hello tcp\n')).toContain('hello tcp');
  });

  it('udp-demo echoes over UDP at 30998', async () => {
    expect(await shell(`echo "hello udp" | socat - UDP:${run.address}:30998`)).toBe('hello udp\n');
  });

  it('redis-demo serves redis-cli at 30379: commands, a pipeline of 10,000, and a value of 100 MB', async () => {
    const cli = `redis-cli -h ${run.address} -p 30379`;
    expect(await shell(`${cli} set greeting hello; ${cli} get greeting`)).toBe('OK\nhello\n');
    const pipeline = Array.from({ length: 10_000 }, (_, index) => `SET key:${index} ${index}\r\n`).join('');
    expect(await shell(`${cli} --pipe`, pipeline)).toMatch(/errors: 0, replies: 10000/);
    const large = `head -c 100000000 /dev/zero | tr '\\0' x`;
    expect(await shell(`${large} | ${cli} -x set large`)).toBe('OK\n');
    expect(await shell(`${cli} get large | head -c 100000000 | cksum`)).toBe(await shell(`${large} | cksum`));
  }, 120_000);

  it('dns-demo answers dig at 30053', async () => {
    const dig = `dig @${run.address} -p 30053 +time=2 +tries=3`;
    expect(await shell(`${dig} +short api.demo.test`)).toBe('192.0.2.10\n');
    expect(await shell(`${dig} +short -t TXT demo.test`)).toBe('"answered by dns-demo"\n');
    expect(await shell(`${dig} nothing.demo.test`)).toMatch(/status: NXDOMAIN/);
  });

  it('dns-demo answers every query of dnsperf', async () => {
    const queries = join(tree.root, 'queries');
    writeFileSync(queries, Array.from({ length: 2000 }, () => 'api.demo.test A\n').join(''));
    const report = await shell(`dnsperf -s ${run.address} -p 30053 -d ${queries} -n 1 -q 50 -t 10`);
    expect(report).toMatch(/Queries completed: +2000 \(100\.00%\)/);
  });
});
