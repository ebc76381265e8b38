import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AccessLog, createAccessLog } from '../../../src/cli/ingress/access-log.ts';
import type { TcpConnectionRecord, UdpSessionRecord } from '../../../src/dataplane/index.ts';

const connection: TcpConnectionRecord = {
  entryPoint: 'mytcp',
  client: '192.0.2.1:4000',
  outcome: { kind: 'refused', reason: 'no_route' },
  bytesIn: 0,
  bytesOut: 0,
  durationMs: 1.4,
};
const session: UdpSessionRecord = {
  entryPoint: 'myudp',
  client: '[2001:db8::1]:4000',
  route: 'backend-echo-0',
  endpoint: '10.0.0.7:4444',
  reason: 'idle_timeout',
  datagramsIn: 3,
  bytesIn: 30,
  datagramsOut: 2,
  bytesOut: 200,
  durationMs: 512.6004999999999,
};

async function linesOf(format: 'json' | 'common', write: (log: AccessLog) => void): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-access-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const filePath = join(directory, 'access.log');
  const log = createAccessLog({ format, filePath });
  if (log) write(log);
  const lines = () => {
    try {
      return readFileSync(filePath, 'utf8').trimEnd().split('\n');
    } catch {
      return [];
    }
  };
  while (lines().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  return lines();
}

describe('the access log', () => {
  const both = (log: AccessLog) => {
    log.connection(connection);
    log.session(session);
  };

  it('is off unless it is asked for', () => {
    expect(createAccessLog(undefined)).toBeUndefined();
  });

  it('has a line for each connection and each UDP session that is over', async () => {
    expect(await linesOf('common', both)).toEqual([
      expect.stringMatching(/^192\.0\.2\.1:4000 - - \[.*Z\] "mytcp -> - -> -" refused:no_route 0 0 1ms$/),
      expect.stringMatching(
        /^\[2001:db8::1\]:4000 - - \[.*Z\] "myudp -> backend-echo-0 -> 10\.0\.0\.7:4444" ended:idle_timeout 30\/3 200\/2 513ms$/,
      ),
    ]);
  });

  it('has all that is known of each as JSON', async () => {
    const [first, second] = (await linesOf('json', both)).map((line) => JSON.parse(line) as object);
    expect(first).toMatchObject({ protocol: 'tcp', ...connection });
    expect(second).toMatchObject({ protocol: 'udp', ...session, durationMs: 512.6 });
  });
});
