// A launcher to be killed: starts a cluster with one pod whose program leaves processes about.
import { launchInNamespaces } from '../../../dist/cluster/index.js';

const [mark, mode] = process.argv.slice(2);
const modulePath = new URL('pods.mjs', import.meta.url).pathname;
const { child, why } = await launchInNamespaces({ modulePath, mode, args: [mode] });
const call = (id, name, argument) =>
  new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (message.id !== id) return;
      if (message.error) reject(message.error);
      else resolve(message.value);
    });
    child.send({ id, name, argument });
  });
await call(1, 'addPod', { name: 'pod' });
const script = `sleep ${mark} & setsid sleep ${mark} & (sleep ${mark} &) ; echo up; wait`;
await call(2, 'spawn', { name: 'pod', command: ['/bin/sh', '-c', script] });
await call(3, 'output', { index: 0, until: 'up' });
process.stdout.write(`${JSON.stringify({ child: child.pid, why })}\n`);
