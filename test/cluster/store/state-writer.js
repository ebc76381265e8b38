// Started by state.test.ts: writes without end and says which version it was given for each write, until it is killed.
const [library, directory] = process.argv.slice(2);
const { createStore, openStateDirectory } = await import(library);
const { configMaps } = await import(library.replace('/cluster/', '/kubernetes/'));
const store = createStore({ state: await openStateDirectory(directory, { minCompactionBytes: 64 * 1024 }) });
for (let count = 0; ; count++) {
  const name = `settings-${count % 50}`;
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { count: String(count), padding: 'x'.repeat(count % 700) },
  };
  const present = store.peek(configMaps, 'default', name);
  const stored = present ? await store.update(configMaps, object) : await store.create(configMaps, object);
  process.stdout.write(`${name} ${count} ${stored.metadata.resourceVersion}\n`);
  if (count % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
}
