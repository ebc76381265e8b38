import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStore, openStateDirectory, type StateDirectoryOptions } from '../../../src/cluster/index.ts';
import { configMaps, deployments, services } from '../../../src/kubernetes/index.ts';
import { eventually } from '../eventually.ts';
import { configMap, deployment, service } from '../objects.ts';

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-state-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const openStore = async (directory: string, options?: StateDirectoryOptions) =>
  createStore({ state: await openStateDirectory(directory, options) });

describe('state on disk', () => {
  it('gives a new process every object, version and node port of the one before', async () => {
    const directory = temporaryDirectory();
    const first = await openStore(directory);
    const created = await first.create(deployments, deployment('echo'));
    await first.create(
      services,
      service('echo', { type: 'NodePort', ports: [{ port: 1, nodePort: 30998 }] }),
    );
    await first.create(configMaps, configMap('gone', {}));
    await first.delete(configMaps, 'default', 'gone');
    const { resourceVersion } = first;
    await first.close();

    const second = await openStore(directory);
    onTestFinished(() => second.close());
    expect(second.resourceVersion).toBe(resourceVersion);
    expect(await second.get(deployments, 'default', 'echo')).toEqual(created);
    expect(second.peek(configMaps, 'default', 'gone')).toBeUndefined();
    const other = service('other', { type: 'NodePort', ports: [{ port: 1, nodePort: 30998 }] });
    await expect(second.create(services, other)).rejects.toThrow('provided port is already allocated');
    await expect(async () => {
      for await (const _ of second.watch(configMaps, { resourceVersion: '1' }));
    }).rejects.toThrow(/^too old resource version: 1 /);
  });

  it('keeps objects of types that are served only later', async () => {
    const directory = temporaryDirectory();
    const widgets = { ...configMaps, group: 'example.com', kind: 'Widget', plural: 'widgets' };
    const widget = {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'a', namespace: 'default' },
    };
    const first = await openStore(directory);
    first.types.add(widgets);
    await first.create(widgets, widget);
    await first.close();
    const second = await openStore(directory, { minCompactionBytes: 1 });
    await second.create(configMaps, configMap('forces-a-compaction', {}));
    await second.close();
    const third = await openStore(directory);
    onTestFinished(() => third.close());
    third.types.add(widgets);
    expect(third.peek(widgets, 'default', 'a')).toMatchObject(widget);
  });

  it('folds changes into a snapshot and forgets the old files', async () => {
    const directory = temporaryDirectory();
    const first = await openStore(directory, { minCompactionBytes: 4096 });
    await first.create(configMaps, configMap('settings', { count: '0' }));
    for (let count = 1; count <= 200; count++) {
      await first.update(configMaps, configMap('settings', { count: String(count) }));
    }
    await eventually(() =>
      expect(readdirSync(directory).some((name) => name.startsWith('snapshot-'))).toBe(true),
    );
    await first.close();
    const files = readdirSync(directory).toSorted((a, b) => (a < b ? -1 : 1));
    expect(files).toEqual([
      expect.stringMatching(/^changes-\d+\.log$/),
      expect.stringMatching(/^snapshot-\d+\.log$/),
    ]);
    const second = await openStore(directory);
    onTestFinished(() => second.close());
    expect(second.peek(configMaps, 'default', 'settings')?.data).toEqual({ count: '200' });
  });

  it('drops a last record that was cut short', async () => {
    const directory = temporaryDirectory();
    const first = await openStore(directory);
    await first.create(configMaps, configMap('whole', {}));
    await first.close();
    appendFileSync(join(directory, 'changes-0.log'), 'deadbeef {"version":99,"resour');
    const second = await openStore(directory);
    expect(second.peek(configMaps, 'default', 'whole')).toBeDefined();
    await second.create(configMaps, configMap('after', {}));
    await second.close();
    const third = await openStore(directory);
    onTestFinished(() => third.close());
    expect(third.page(configMaps).items.map(({ metadata }) => metadata.name)).toEqual(['after', 'whole']);
  });

  it('refuses a record that is damaged in the middle, naming the line', async () => {
    const directory = temporaryDirectory();
    const first = await openStore(directory);
    for (const name of ['a', 'b', 'c']) await first.create(configMaps, configMap(name, {}));
    await first.close();
    const file = join(directory, 'changes-0.log');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"name":"b"', '"name":"x"'));
    await expect(openStore(directory)).rejects.toMatchObject({
      diagnostics: [{ code: 'SL4040', position: { file, line: 6, column: 1 } }],
    });
  });

  it('lets no second process in, and a new one after the first', async () => {
    const directory = temporaryDirectory();
    const first = await openStore(directory);
    await expect(openStateDirectory(directory)).rejects.toMatchObject({ diagnostics: [{ code: 'SL4041' }] });
    await first.close();
    const second = await openStore(directory);
    await second.close();
  });
});

describe('a process killed in the middle of its writes', () => {
  it('has lost nothing that was acknowledged', async () => {
    const directory = temporaryDirectory();
    const library = new URL('../../../dist/cluster/index.js', import.meta.url).href;
    const writer = join(import.meta.dirname, 'state-writer.js');
    for (const writesUntilKilled of [37, 411, 1500]) {
      const child = spawn(process.execPath, [writer, library, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const acknowledged = new Map<string, { count: string; version: number }>();
      let writes = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const [name = '', count = '', version = ''] = line.split(' ');
        acknowledged.set(name, { count, version: Number(version) });
        if (++writes === writesUntilKilled) child.kill('SIGKILL');
      }
      const store = await openStore(directory);
      for (const [name, { count, version }] of acknowledged) {
        const stored = store.peek(configMaps, 'default', name);
        // What was written after the last line we read may be there as well.
        const data = stored?.data as { count: string } | undefined;
        expect(Number(data?.count)).toBeGreaterThanOrEqual(Number(count));
        expect(Number(stored?.metadata.resourceVersion)).toBeGreaterThanOrEqual(version);
      }
      expect(acknowledged.size).toBeGreaterThan(30);
      await store.close();
    }
  });
});
