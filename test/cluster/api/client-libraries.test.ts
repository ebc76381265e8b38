import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processStreams } from './process-streams.ts';
import { TestCluster } from './test-cluster.ts';

/** Where `npm install @kubernetes/client-node@1.4.0` was run: too large a package to be a dependency. */
const clientNode = join(process.env.CLIENT_NODE_DIR ?? '/nowhere', 'node_modules/@kubernetes/client-node');
const python = ['python3', '/usr/bin/python3'].find(
  (program) => spawnSync(program, ['-c', 'import kubernetes']).status === 0,
);
const timeout = 60_000;

describe('client libraries', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await new TestCluster({ streams: processStreams }).start();
  });
  afterAll(async () => {
    expect(cluster.faults).toEqual([]);
    await cluster.stop();
  });

  const run = async (program: string, ...words: string[]) => {
    const { stdout, stderr } = await cluster.run(program, words);
    expect(stderr).toBe('');
    return JSON.parse(stdout) as unknown;
  };
  const beside = (file: string) => join(import.meta.dirname, file);

  it.skipIf(!existsSync(clientNode))(
    '@kubernetes/client-node, its informer too (needs CLIENT_NODE_DIR)',
    { timeout },
    async () => {
      const result = await run(process.execPath, beside('client-node.mjs'), clientNode, cluster.kubeconfig);
      expect(result).toEqual({
        seen: [
          'add from-node',
          'update from-node',
          'update from-node',
          'update from-node',
          'delete from-node',
        ],
        data: { a: '1', b: '2', c: '3', d: '4' },
        log: 'POD/main: one',
        status: 'Success',
        output: 'hello\n',
        missing: 404,
      });
    },
  );

  it.skipIf(!python)('the Python client, its watch too (needs python3-kubernetes)', { timeout }, async () => {
    expect(await run(python ?? '', beside('client.py'), cluster.kubeconfig)).toEqual({
      seen: ['ADDED', 'DELETED'],
      data: { a: '1', b: '2' },
      defaulted: 1,
      replicas: 2,
      missing: 404,
    });
  });
});
