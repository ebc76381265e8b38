import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAccessLog } from '../../src/cli/ingress/access-log.ts';
import { toldLine } from '../../src/laptop/ingress-pods.ts';

describe('what is told of an ingress pod’s log', () => {
  it('is its lines with their level', () => {
    expect(toldLine('2026-01-02T03:04:05.678Z WAR no endpoints')).toEqual({
      level: 40,
      message: 'no endpoints',
    });
    expect(toldLine('2026-01-02T03:04:05.678Z INF entrypoint myudp listens')).toEqual({
      level: 30,
      message: 'entrypoint myudp listens',
    });
  });

  it('is another program’s line as it is', () => {
    expect(toldLine('{"level":"info","msg":"hello"}')).toEqual({
      level: 30,
      message: '{"level":"info","msg":"hello"}',
    });
  });

  it.each(['json', 'common'] as const)('is nothing for a line of the access log, as %s', async (format) => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-access-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const filePath = join(directory, 'access.log');
    createAccessLog({ format, filePath })?.connection({
      entryPoint: 'mytcp',
      client: '192.0.2.1:4000',
      outcome: { kind: 'refused', reason: 'no_route' },
      bytesIn: 0,
      bytesOut: 0,
      durationMs: 1,
    });
    const written = () => (existsSync(filePath) ? readFileSync(filePath, 'utf8').trimEnd() : '');
    await expect.poll(written).not.toBe('');
    expect(toldLine(written())).toBeUndefined();
  });
});
