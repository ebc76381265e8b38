/** What pods and kubectl find in the cluster of `sluice up`: Services by name and address, and objects kept across runs. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { hasProgram } from '../support/programs.ts';
import { copyTree, type Run, runUp, stopRun, type TreeCopy } from './sluice-up.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function up(tree: TreeCopy, ...args: string[]): Promise<Run> {
  const run = runUp(tree.root, { args });
  endings.push(() => {
    run.child.kill('SIGKILL');
    return run.exited;
  });
  await run.line(/ready in \d+ ms/);
  return run;
}

function newTree(): TreeCopy {
  const tree = copyTree();
  endings.push(() => tree.remove());
  return tree;
}

async function kubectl(tree: TreeCopy, ...args: string[]): Promise<string> {
  const env = { ...process.env, KUBECONFIG: join(tree.root, '.sluice/kubeconfig'), HOME: tree.root };
  return (await promisify(execFile)('kubectl', args, { env })).stdout;
}

/** Asks a UDP service by name, from inside a pod. */
const askByName = (name: string) => `
  const socket = require('node:dgram').createSocket('udp4');
  require('node:dns').lookup('${name}', { family: 4 }, (error, address) => {
    if (error) throw error;
    socket.on('message', (payload) => { console.log(address, String(payload)); socket.close(); });
    socket.send('hello from a pod', 4444, address);
  });`;

describe.skipIf(!hasProgram('kubectl'))('the cluster of sluice up (needs kubectl)', () => {
  it.each(['udp-echo-service', 'udp-echo-service.backend.svc.cluster.local'])(
    'leads pods to a Service by the name %s, at its cluster IP',
    async (name) => {
      const tree = newTree();
      await up(tree);
      const clusterIp = await kubectl(
        tree,
        'get',
        'svc',
        '-n',
        'backend',
        'udp-echo-service',
        '-o',
        'jsonpath={.spec.clusterIP}',
      );
      const answer = await kubectl(
        tree,
        'exec',
        '-n',
        'backend',
        'deploy/udp-echo-demo',
        '--',
        'node',
        '-e',
        askByName(name),
      );
      expect(answer).toBe(`${clusterIp} hello from a pod\n`);
    },
  );

  it('keeps objects across runs with --state, even when it is killed, but not what left the tree meanwhile', async () => {
    const tree = newTree();
    const state = mkdtempSync(join(tmpdir(), 'sluice-state-'));
    endings.push(() => rmSync(state, { recursive: true, force: true }));
    const first = await up(tree, '--state', state);
    await kubectl(tree, 'create', 'configmap', 'kept', '--from-literal=key=value');
    const extra = join(tree.root, 'apps/backend/udp-demo/base/configmap.yaml');
    const list = join(tree.root, 'apps/backend/udp-demo/base/kustomization.yaml');
    const before = readFileSync(list, 'utf8');
    const applied = first.nextLine(/created ConfigMap backend\/from-the-tree/);
    writeFileSync(extra, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-the-tree\n');
    writeFileSync(list, before.replace('resources:', 'resources:\n  - configmap.yaml'));
    await applied;
    first.child.kill('SIGKILL');
    await first.exited;
    writeFileSync(list, before);
    const second = await up(tree, '--state', state);
    expect(await kubectl(tree, 'get', 'configmap', 'kept', '-o', 'jsonpath={.data.key}')).toBe('value');
    await expect(kubectl(tree, 'get', '-n', 'backend', 'configmap', 'from-the-tree')).rejects.toThrow(
      /NotFound/,
    );
    expect(await stopRun(second)).toBe(0);
  });
});
