/** One datagram through a UDP path, and an honest word on what came of it. */

import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { dnsQuery } from './dns-query.ts';

export type ProbeVerdict =
  /** Something answered. */
  | { readonly kind: 'replied'; readonly roundTripMs: number; readonly isEcho: boolean }
  /** The host or the network said that nobody listens there (ICMP). */
  | { readonly kind: 'refused' }
  /** No answer. UDP does not tell a lost datagram from a service that has nothing to say. */
  | { readonly kind: 'silent'; readonly attempts: number };

export interface ProbeOptions {
  readonly address: string;
  readonly port: number;
  /** Absent: a line of text, which an echo service and most others answer. */
  readonly payload?: Buffer;
  /** How long each attempt waits for an answer. Three attempts, the first a short one, when absent. */
  readonly timeoutsMs?: readonly number[];
}

/** A new route may need a moment to reach every ingress: the first attempt should not cost a second. */
const defaultTimeoutsMs = [250, 1000, 1000];

/** What the services behind these ports understand: a name server answers a query and nothing else. */
export function probePayload(servicePorts: readonly (number | string)[]): Buffer {
  const isDns = servicePorts.some((port) => port === 53 || /^(dns|domain)/i.test(String(port)));
  if (isDns) return dnsQuery(randomBytes(2).readUInt16BE(), 'sluice-probe.invalid');
  return Buffer.from(`sluice probe ${randomBytes(4).toString('hex')}`);
}

/** Sends from a connected socket, so that an answer from another address is not taken for one. */
export async function probeUdp({
  address,
  port,
  payload = probePayload([]),
  timeoutsMs = defaultTimeoutsMs,
}: ProbeOptions): Promise<ProbeVerdict> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    socket.connect(port, address);
    await once(socket, 'connect');
    for (const timeoutMs of timeoutsMs) {
      const verdict = await exchange(socket, payload, timeoutMs);
      if (verdict) return verdict;
    }
    return { kind: 'silent', attempts: timeoutsMs.length };
  } finally {
    socket.close();
  }
}

async function exchange(
  socket: Socket,
  payload: Buffer,
  timeoutMs: number,
): Promise<ProbeVerdict | undefined> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const sentAtMs = performance.now();
  const answer = once(socket, 'message', { signal: deadline });
  socket.send(payload);
  try {
    const [reply] = (await answer) as [Buffer];
    return { kind: 'replied', roundTripMs: performance.now() - sentAtMs, isEcho: reply.equals(payload) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return { kind: 'refused' };
    if (deadline.aborted) return undefined;
    throw error;
  }
}
