import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that the kernel gives out itself (32,768 and up unless set otherwise), above those that need a privilege. */
const first = 10_000;
const past = 32_000;

/**
 * A port of 127.0.0.1 that nobody has for either protocol, for what must be told a number before it is bound. The kernel
 * gives it to nobody in the meantime, as it would one that it had chosen itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * (past - first));
    if ((await isFreeUdp(port)) && (await isFreeTcp(port))) return port;
  }
}

async function isFreeUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const isBound = await outcome(socket.bind(port, '127.0.0.1'));
  if (isBound) await new Promise<void>((done) => socket.close(done));
  return isBound;
}

async function isFreeTcp(port: number): Promise<boolean> {
  const server = createServer();
  const isBound = await outcome(server.listen(port, '127.0.0.1'));
  if (isBound) await new Promise((done) => server.close(done));
  return isBound;
}

/** Whether it listens; a rejected `once` is its `error`. */
function outcome(listening: NodeJS.EventEmitter): Promise<boolean> {
  return once(listening, 'listening').then(
    () => true,
    () => false,
  );
}
