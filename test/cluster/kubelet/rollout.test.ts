import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { launchInNamespaces } from '../../../src/cluster/index.ts';
import { networkModes } from '../network/cluster.ts';
import { echo } from './node.ts';

const modulePath = new URL('rollout.mjs', import.meta.url).pathname;

describe.each(networkModes)('a Deployment in mode %s', (mode) => {
  it('loses no datagram while it is updated, scaled down and updated again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-rollout-'));
    const { child } = await launchInNamespaces({
      modulePath,
      mode,
      args: [mode, join(directory, 'pods'), echo],
    });
    onTestFinished(async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(directory, { recursive: true });
    });
    let errors = '';
    child.stderr?.on('data', (text) => {
      errors += text;
    });
    const failed = once(child, 'exit').then(() => Promise.reject(new Error(errors)));
    const [outcome] = (await Promise.race([once(child, 'message'), failed])) as [{ sent: number }];
    failed.catch(() => undefined);
    expect(outcome).toEqual({ sent: expect.any(Number), lost: [], withoutEndpoint: 0, problems: [] });
    expect(outcome.sent).toBeGreaterThan(20);
  });
});
