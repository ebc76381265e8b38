// Runs in the cluster process: makes a pod network and does what the test asks, over IPC.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createPodNetwork } from '../../../dist/cluster/index.js';

const network = await createPodNetwork(process.argv[2]);
const processes = [];
const heard = [];

const commands = {
  addPod: ({ name, options }) => network.addPod(name, options),
  removePod: ({ name }) => network.removePod(name),
  spawn({ name, command, options }) {
    const process = network.spawn(name, command, { env: { PATH: globalThis.process.env.PATH }, ...options });
    const output = { stdout: '', stderr: '' };
    process.stdout.on('data', (text) => (output.stdout += text));
    process.stderr.on('data', (text) => (output.stderr += text));
    processes.push({ process, output });
    return processes.length - 1;
  },
  spawnBeside({ name, index, command, options }) {
    return commands.spawn({ name, command, options: { ...options, beside: processes[index].process } });
  },
  async output({ index, until }) {
    const { process, output } = processes[index];
    while (!output.stdout.includes(until)) await once(process.stdout, 'data');
    return output;
  },
  async exited({ index }) {
    const { process, output } = processes[index];
    const exitCode = await process.exited;
    return { exitCode, ...output };
  },
  signal: ({ index, signal }) => processes[index].process.signal(signal),
  kill: ({ index }) => processes[index].process.kill(),
  pid: ({ index }) => processes[index].process.pid,
  async bound({ name, protocol, port }) {
    while (!(await network.isBound(name, protocol, port))) await new Promise(setImmediate);
    return true;
  },
  isBound: ({ name, protocol, port }) => network.isBound(name, protocol, port),
  async ask({ address, port, text }) {
    const socket = createSocket('udp4');
    const answer = once(socket, 'message');
    socket.send(text, port, address);
    const [reply, from] = await answer;
    socket.close();
    return { text: String(reply), from: from.address };
  },
  /** Collects datagrams at a port of the gateway, answers none. */
  async listen() {
    const socket = createSocket('udp4').on('message', (text) => heard.push(String(text)));
    socket.bind(0, network.gatewayAddress);
    await once(socket, 'listening');
    return socket.address().port;
  },
  heard: () => heard,
  zombies: () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))).length,
  links: () => readFileSync('/proc/net/dev', 'utf8'),
  gateway: () => network.gatewayAddress,
  close: () => network.close(),
};

async function answer({ id, name, argument }) {
  try {
    process.send({ id, value: await commands[name](argument ?? {}) });
  } catch (error) {
    process.send({ id, error: { name: error.name, message: error.message } });
  }
}

process.on('message', (message) => void answer(message));
