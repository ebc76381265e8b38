// Runs in the cluster process: a Deployment behind a Service, changed while datagrams are sent to its ready endpoints.
import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createEventRecorder,
  createKubelet,
  createPodNetwork,
  createStore,
  registerNode,
  startControllers,
} from '../../../dist/cluster/index.js';
import { deployments, endpointSlices, services } from '../../../dist/kubernetes/index.js';

const [mode, logDirectory, program] = process.argv.slice(2);
const problems = [];
const onError = (error) => problems.push(String(error));
const store = createStore();
const network = await createPodNetwork(mode);
await registerNode(store, {
  name: 'sluice',
  internalIp: '127.0.0.1',
  podCidr: '10.244.0.0/16',
  kubeletVersion: 'v1.32.0',
  capacity: { cpu: '2', memory: '8000000000', pods: '110' },
});
startControllers(store, { onError });
const kubelet = createKubelet({
  api: store,
  network,
  nodeName: 'sluice',
  settingsFile: 'sluice.yaml',
  images: { echo: { command: [process.execPath, '-e', program] } },
  logDirectory,
  recorder: createEventRecorder(store, 'kubelet'),
  log: { info: () => {}, warn: onError, error: onError },
  // As under `sluice up`: a program that has read a datagram may wait for its core before it answers.
  limits: { drainMs: 500 },
});
await kubelet.start();

const ports = [{ containerPort: 4444, protocol: 'UDP' }];
const deployment = (version, replicas) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'echo', namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'echo' } },
    template: {
      metadata: { labels: { app: 'echo', version } },
      spec: { containers: [{ name: 'app', image: 'echo', ports }] },
    },
  },
});

let ready = [];
void (async () => {
  for await (const { object } of store.watch(endpointSlices)) {
    ready = object.endpoints
      .filter(({ conditions }) => conditions.ready)
      .map(({ addresses }) => addresses[0]);
  }
})();

async function rolledOut(version, replicas) {
  await store.update(deployments, deployment(version, replicas));
  for (;;) {
    const { metadata, status = {} } = await store.get(deployments, 'default', 'echo');
    const counts = [status.replicas, status.updatedReplicas, status.readyReplicas];
    if (status.observedGeneration === metadata.generation && counts.every((count) => count === replicas))
      return;
    await delay(10);
  }
}

const spec = { selector: { app: 'echo' }, ports: [{ port: 4444, protocol: 'UDP' }] };
await store.create(services, {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'echo', namespace: 'default' },
  spec,
});
await store.create(deployments, deployment('one', 3));
while (ready.length < 3) await delay(5);

const socket = createSocket('udp4');
const unanswered = new Map();
let sent = 0;
let withoutEndpoint = 0;
socket.on('message', (text) => unanswered.delete(String(text)));
const sender = setInterval(() => {
  const address = ready[sent % ready.length];
  if (!address) withoutEndpoint++;
  else {
    unanswered.set(String(sent), address);
    socket.send(String(sent++), 4444, address);
  }
}, 1);
await rolledOut('two', 3);
await rolledOut('two', 1);
await rolledOut('three', 2);
clearInterval(sender);
// What is still on its way has this long to arrive; a datagram that is lost never does.
for (let waited = 0; unanswered.size > 0 && waited < 5_000; waited += 10) await delay(10);
process.send({ sent, lost: [...unanswered], withoutEndpoint, problems });
await kubelet.stop();
await network.close();
