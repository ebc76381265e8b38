import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { isInstalled } from '../dataplane/tcp/helpers.ts';
import { freePort } from '../support/ports.ts';

const hasPrograms = isInstalled('dnsmasq', ['--version']) && isInstalled('dig', ['-v']);
const configuration = new URL('../../apps/backend/dns-demo/app/dns.conf', import.meta.url).pathname;
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** dnsmasq as the pod runs it, on a port that was free a moment ago; another one where somebody else was faster. */
async function startDns(attemptsLeft = 5): Promise<number> {
  const port = await freePort();
  const place = [`--port=${port}`, '--listen-address=127.0.0.1'];
  const child = spawn('dnsmasq', ['--keep-in-foreground', `--conf-file=${configuration}`, ...place]);
  open.push(() => child.kill('SIGKILL'));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    if (line.includes('cleared cache')) return port;
  }
  if (attemptsLeft > 1) return startDns(attemptsLeft - 1);
  throw new Error(`dnsmasq did not start: ${lines.join('; ')}`);
}

function dig(port: number, ...query: string[]): string {
  return execFileSync('dig', ['@127.0.0.1', '-p', String(port), '+tries=1', ...query], { encoding: 'utf8' });
}

describe.skipIf(!hasPrograms)('the DNS demo (needs dnsmasq and dig)', () => {
  it('answers for the names of its file, and for no other', async () => {
    const port = await startDns();
    const short = (...query: string[]) => dig(port, '+short', ...query).trim();
    expect(short('api.demo.test', 'A')).toBe('192.0.2.10');
    expect(short('api.demo.test', 'AAAA')).toBe('2001:db8::10');
    expect(short('www.demo.test', 'A')).toBe('api.demo.test.\n192.0.2.10');
    expect(short('demo.test', 'TXT')).toBe('"answered by dns-demo"');
    expect(short('_redis._tcp.demo.test', 'SRV')).toBe('0 0 6379 db.demo.test.');
    expect(dig(port, 'nowhere.demo.test', 'A')).toContain('status: NXDOMAIN');
    expect(dig(port, 'example.com', 'A')).toContain('status: REFUSED');
  });

  it('truncates a long answer for a client that takes only 512 bytes', async () => {
    const port = await startDns();
    expect(dig(port, '+ignore', '+noedns', 'long.demo.test', 'TXT')).toMatch(/flags: qr aa tc/);
    expect(dig(port, '+ignore', '+bufsize=1232', 'long.demo.test', 'TXT')).toMatch(
      /flags: qr aa rd ra;.* ANSWER: 1,/,
    );
  });
});
