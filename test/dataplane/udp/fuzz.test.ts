/** What can go wrong, at random and all at once, for a while: 2 seconds by default, 60 with SLUICE_FULL=1. */

import type { Socket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoint, UdpBalance, UdpClientAddress } from '../../../src/dataplane/index.ts';
import { engines } from './engines.ts';
import {
  type Backend,
  boundSocket,
  closeSocket,
  eventually,
  forwardTo,
  startBackend,
  startClient,
  startProxy,
  unaccounted,
} from './support.ts';

const durationMs = process.env.SLUICE_FULL === '1' ? 60_000 : 2_000;
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const maxSessions = 200;
const idleTimeoutMs = 300;

const pick = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value;
let seed = 0x2545f491;

function below(limit: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % limit;
}

function bytes(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => below(256)));
}

/** Plain, empty, large, and PROXY headers whole, cut off, or wrong somewhere. */
function anyDatagram(): Buffer {
  const kind = below(10);
  if (kind === 0) return Buffer.alloc(0);
  if (kind === 1) return Buffer.alloc(below(65_508), kind);
  if (kind < 5) return bytes(below(64));
  const header = Buffer.concat([
    signature,
    Buffer.from([pick([0x21, 0x20, 0x21, 0x11, 0xff]), pick([0x12, 0x22, 0x00, 0x11, 0x31]), 0, below(60)]),
    bytes(below(60)),
  ]);
  return kind < 8 ? header : header.subarray(0, below(header.length + 1));
}

/** Backends that come and go, clients that come and go, and someone who guesses upstream ports. */
class Storm {
  readonly #backends: Backend[] = [];
  readonly #clients: Socket[] = [];
  readonly #ports = new Set<number>();
  #generation = 1;

  async backend(): Promise<void> {
    const backend = await startBackend({ answer: (datagram) => (below(4) === 0 ? undefined : datagram) });
    backend.received.push = () => 0;
    backend.socket.on('message', (_, { port }) => {
      this.#ports.add(port);
      if (this.#ports.size > 64) this.#ports.clear();
    });
    this.#backends.push(backend);
    if (this.#backends.length > 6) await this.#backends.splice(below(6), 1)[0]?.stop();
  }

  async client(): Promise<void> {
    this.#clients.push(await boundSocket(pick(['127.0.0.1', '127.0.0.2', '127.0.0.3'])));
    if (this.#clients.length > 30) await closeSocket(this.#clients.splice(below(30), 1)[0] as Socket);
  }

  /** Some of the endpoints answer ICMP port unreachable: nobody is there any more. */
  table() {
    const dead: Endpoint[] = [{ address: '127.0.0.9', port: 1 + below(3), state: 'ready' }];
    const live = this.#backends
      .slice(0, below(7))
      .map(({ endpoint }) => ({ ...endpoint, state: pick(['ready', 'ready', 'terminating'] as const) }));
    const clientAddress = pick<UdpClientAddress | undefined>([
      undefined,
      undefined,
      'proxy-v2',
      'proxy-v2-first',
      'simple-proxy-protocol',
    ]);
    return {
      ...forwardTo(below(3) === 0 ? [...dead, ...live] : live, {
        balance: pick<UdpBalance>(['datagram', 'session', 'source']),
        ...(clientAddress ? { clientAddress } : {}),
        ...(below(3) === 0 ? { responses: 1 } : {}),
      }),
      generation: this.#generation++,
    };
  }

  burst(port: number): void {
    for (let count = below(60); count > 0; count--) {
      const client = pick(this.#clients);
      client.send(anyDatagram(), port, '127.0.0.1', () => {});
    }
  }

  spoof(stranger: Socket): void {
    for (const port of this.#ports) stranger.send(bytes(below(100)), port, '127.0.0.1', () => {});
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map(closeSocket));
    await Promise.all(this.#backends.map((backend) => backend.stop()));
  }
}

describe.each(engines)('the $engine engine', (options) => {
  it(`accounts for every datagram of ${durationMs / 1000} seconds of trouble, and comes out clean`, async () => {
    const storm = new Storm();
    for (let count = 0; count < 4; count++) await storm.backend();
    for (let count = 0; count < 20; count++) await storm.client();
    const stranger = await boundSocket();
    onTestFinished(() => closeSocket(stranger));
    const errors: string[] = [];
    const log = (level: string, message: string) => level === 'error' && errors.push(message);
    const proxy = await startProxy({ ...options, log }, storm.table(), {
      maxSessions,
      idleTimeoutMs,
      maxSessionsPerClient: 80,
      maxAmplification: 3,
      ratePerClient: { datagramsPerSecond: 20_000 },
      proxyProtocolFrom: ['127.0.0.1'],
      deny: ['127.0.0.3'],
    });
    const endsAt = performance.now() + durationMs;
    const residentBefore: number[] = [];
    while (performance.now() < endsAt) {
      storm.burst(proxy.place.port);
      const what = below(12);
      if (what === 0) await storm.backend();
      else if (what === 1) await storm.client();
      else if (what === 2) await proxy.engine.apply(storm.table());
      else if (what === 3) storm.spoof(stranger);
      await pause(below(4));
      expect(proxy.counters().sessions).toBeLessThanOrEqual(maxSessions + 2);
      if (residentBefore.length < 1 && performance.now() > endsAt - durationMs / 2) {
        residentBefore.push(process.memoryUsage().rss);
      }
    }
    await storm.end();
    const backend = await startBackend();
    await proxy.engine.apply(forwardTo([backend.endpoint]));
    const client = await startClient(proxy.place);
    expect(String(await client.ask('still there'))).toBe('still there');
    await eventually(() => proxy.counters().sessions === 0);
    expect(unaccounted(proxy.counters())).toEqual({ requests: 0, replies: 0 });
    expect(errors).toEqual([]);
    const { drops, datagramsForwarded, datagramsOut } = proxy.counters();
    expect(Math.min(datagramsForwarded, datagramsOut, drops.denied, drops.proxy_header)).toBeGreaterThan(0);
    // The second half has added nothing that stays: room for what the collector has not looked at yet.
    expect(process.memoryUsage().rss - (residentBefore[0] ?? 0)).toBeLessThan(128 * 1024 * 1024);
  }, 120_000);
});
