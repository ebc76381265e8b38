// Runs in the cluster process: a store, a pod network and a kubelet. Does what the test asks, over IPC, and tells it of
// every change of a pod and of every event.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import {
  createKubelet,
  createPodNetwork,
  createServiceDns,
  createStore,
} from '../../../dist/cluster/index.js';
import { pods, typeOf } from '../../../dist/kubernetes/index.js';

const network = await createPodNetwork(process.argv[2]);
const store = createStore();
const log = (level) => (text) => process.send({ log: { level, text } });
let kubelet;

void (async () => {
  for await (const { type, object } of store.watch(pods)) process.send({ type, pod: object });
})();

const commands = {
  async start(options) {
    kubelet = createKubelet({
      api: store,
      network,
      nodeName: 'sluice',
      settingsFile: 'sluice.yaml',
      recorder: {
        record: (object, type, reason, message) =>
          process.send({ event: { object: object.metadata.name, type, reason, message } }),
      },
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      ...options,
    });
    await kubelet.start();
  },
  setImages: ({ images }) => kubelet.setImages(images),
  create: (object) => store.create(typeOf(object), object),
  update: (object) => store.update(typeOf(object), object),
  get: ({ name }) => store.get(pods, 'default', name),
  delete: ({ name, ...options }) => store.delete(pods, 'default', name, options),
  async logs({ name, ...options }) {
    let text = '';
    for await (const part of kubelet.readLogs('default', name, options)) text += part;
    return text;
  },
  async followLogs({ name, ...options }) {
    for await (const text of kubelet.readLogs('default', name, { follow: true, ...options }))
      process.send({ followed: text });
  },
  async exec({ name, command, input, ...options }) {
    const process = await kubelet.exec('default', name, { command, stdin: input !== undefined, ...options });
    process.stdin?.end(input);
    const output = { stdout: '', stderr: '' };
    process.stdout.on('data', (text) => (output.stdout += text));
    process.stderr.on('data', (text) => (output.stderr += text));
    const closed = Promise.all([once(process.stdout, 'close'), once(process.stderr, 'close')]);
    const exitCode = await process.exited;
    await closed;
    return { exitCode, ...output };
  },
  async dial({ name, port, text }) {
    const stream = await kubelet.dialPod('default', name, port);
    stream.write(text);
    const [reply] = await once(stream, 'data');
    stream.destroy();
    return String(reply);
  },
  async ask({ address, port, text }) {
    const socket = createSocket('udp4');
    const answer = once(socket, 'message');
    socket.send(text, port, address);
    const [reply] = await answer;
    socket.close();
    return String(reply);
  },
  tell({ address, port, text }) {
    const socket = createSocket('udp4');
    socket.send(text, port, address, () => socket.close());
  },
  readdir: ({ path }) => readdirSync(path),
  exists: ({ path }) => existsSync(path),
  read: ({ path }) => readFileSync(path, 'utf8'),
  touch: ({ path }) => writeFileSync(path, ''),
  pids: () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
  environments: () =>
    readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        return [readFileSync(`/proc/${name}/environ`, 'utf8')];
      } catch {
        return [];
      }
    }),
  startDns: () => createServiceDns({ api: store, address: '10.96.0.10', onError: log('error') }).start(),
  mounts: () => readFileSync('/proc/self/mounts', 'utf8'),
  async stop() {
    await kubelet.stop();
    await network.close();
  },
};

async function answer({ id, name, argument }) {
  try {
    process.send({ id, value: (await commands[name](argument ?? {})) ?? null });
  } catch (error) {
    process.send({ id, error: { name: error.name, message: error.message } });
  }
}

process.on('message', (message) => void answer(message));
