import { describe, expect, it } from 'vitest';
import { type UdpEntryPoint, type UdpRoute, udpDropReasons } from '../../../../src/dataplane/index.ts';
import { parseAddress } from '../../../../src/dataplane/udp/core/address.ts';
import { counter } from '../../../../src/dataplane/udp/core/counter-slots.ts';
import { EntryPointCore } from '../../../../src/dataplane/udp/core/entry-point-core.ts';
import { codeOf } from '../../../../src/dataplane/udp/core/verdicts.ts';

function coreOf(entryPoint: Partial<UdpEntryPoint>, route: Partial<UdpRoute> = {}) {
  const ended: number[] = [];
  const core = new EntryPointCore({
    entryPoint: { name: 'test', ...entryPoint },
    seed: 42,
    onSessionEnd: (id) => ended.push(id),
  });
  const endpoints = [{ address: '10.9.9.9', port: 53, state: 'ready' as const }];
  core.apply({
    kind: 'forward',
    entryPoint: 'test',
    route: { name: 'r', services: [{ name: 's', weight: 1, endpoints }], ...route },
  });
  /** A datagram of that client: its session, or why it was refused. */
  const admit = (client: string, nowMs = 0, bytes = 100): number | string => {
    const [address = '', port = ''] = client.split(' ');
    parseAddress(address, core.key);
    core.key[4] = Number(port);
    const answer = core.admit(bytes, nowMs);
    return answer >= 0 ? answer : (udpDropReasons[codeOf(answer)] ?? '');
  };
  return { core, admit, ended };
}

describe('the core of an entry point', () => {
  it('gives each client its session', () => {
    const { core, admit } = coreOf({});
    const session = admit('10.0.0.1 1000');
    expect(admit('10.0.0.1 1000')).toBe(session);
    expect(admit('10.0.0.1 1001')).not.toBe(session);
    expect(admit('10.0.0.2 1000')).not.toBe(session);
    expect(core.sessions.size).toBe(3);
  });

  it('keeps a million spoofed sources within the cap, and the established clients', () => {
    const { core, admit } = coreOf({ maxSessions: 1000, maxSessionsPerClient: 100 });
    const established = [1, 2, 3].map((port) => admit(`192.168.0.1 ${port}`));
    for (const port of [1, 2, 3]) admit(`192.168.0.1 ${port}`, 1);
    let refused = 0;
    for (let index = 0; index < 1_000_000; index++) {
      core.key[3] = index;
      core.key[4] = 53;
      if (core.admit(64, 2) < 0) refused++;
    }
    expect(refused).toBe(0);
    expect(core.sessions.size).toBe(1000);
    expect(core.sessions.keys.capacity).toBeLessThanOrEqual(1024);
    expect(core.sessions.clients?.keys.capacity).toBeLessThanOrEqual(1024);
    expect([1, 2, 3].map((port) => admit(`192.168.0.1 ${port}`, 3))).toEqual(established);
    expect(core.counters[counter.sessionsEvicted]).toBe(1_000_003 - 1000);
  });

  it('evicts established sessions, the longest idle first, when there are no others', () => {
    const { admit, ended } = coreOf({ maxSessions: 2 });
    const first = admit('10.0.0.1 1');
    admit('10.0.0.1 1', 1);
    admit('10.0.0.2 1', 2);
    admit('10.0.0.2 1', 3);
    admit('10.0.0.3 1', 4);
    expect(ended).toEqual([first]);
  });

  it('lets no new client in while it is behind and there is no room, and goes on serving the others', () => {
    const { core, admit, ended } = coreOf({ maxSessions: 2 });
    core.isBehind = true;
    const first = admit('10.0.0.1 1');
    core.isShortOfSockets = true;
    expect(admit('10.0.0.2 1')).toBe('session_cap');
    core.isShortOfSockets = false;
    const second = admit('10.0.0.2 1');
    expect(admit('10.0.0.3 1')).toBe('session_cap');
    expect([admit('10.0.0.1 1'), admit('10.0.0.2 1'), ended]).toEqual([first, second, []]);
    core.isBehind = false;
    expect(typeof admit('10.0.0.3 1')).toBe('number');
    expect(ended).toEqual([first]);
  });

  it('gives one client address no more than its part, at its own expense', () => {
    const { core, admit, ended } = coreOf({ maxSessionsPerClient: 2 });
    const other = admit('10.0.0.2 9');
    const oldest = admit('10.0.0.1 1', 1);
    const newer = admit('10.0.0.1 2', 2);
    admit('10.0.0.1 1', 3);
    admit('10.0.0.1 3', 4);
    expect(ended).toEqual([newer]);
    admit('10.0.0.1 4', 5);
    expect(ended).toEqual([newer, oldest]);
    expect(core.sessions.size).toBe(3);
    expect(admit('10.0.0.2 9', 6)).toBe(other);
  });

  it('limits the rate of a client address whatever its ports, and refills', () => {
    const { admit } = coreOf({ ratePerClient: { datagramsPerSecond: 10, burst: 2 } });
    expect([typeof admit('10.0.0.1 1'), typeof admit('10.0.0.1 2')]).toEqual(['number', 'number']);
    expect(admit('10.0.0.1 3')).toBe('rate_client');
    expect(typeof admit('10.0.0.2 1')).toBe('number');
    expect(admit('10.0.0.1 1', 99)).toBe('rate_client');
    expect(typeof admit('10.0.0.1 1', 201)).toBe('number');
  });

  it('limits the rate of the whole entry point', () => {
    const { admit } = coreOf({ rate: { datagramsPerSecond: 1000, burst: 2 } });
    admit('10.0.0.1 1');
    admit('10.0.0.2 1');
    expect(admit('10.0.0.3 1')).toBe('rate_entry_point');
    expect(typeof admit('10.0.0.3 1', 1)).toBe('number');
  });

  it('refuses who is denied by the entry point or by the route, and what is too large', () => {
    const { admit } = coreOf(
      { deny: ['10.1.0.0/16'], maxDatagramBytes: 1000 },
      { allow: ['10.0.0.0/8'], maxDatagramBytes: 500 },
    );
    expect(admit('10.1.0.1 1')).toBe('denied');
    expect(admit('11.0.0.1 1')).toBe('denied');
    expect(typeof admit('10.0.0.1 1', 0, 500)).toBe('number');
    expect(admit('10.0.0.1 1', 0, 501)).toBe('too_large');
  });

  it('answers a session with no more bytes than the amplification limit allows', () => {
    const { core, admit } = coreOf({ maxAmplification: 2 });
    const session = Number(admit('10.0.0.1 1', 0, 100));
    expect(core.admitReply(session, 0, 150, 0)).toBe(0);
    expect(udpDropReasons[codeOf(core.admitReply(session, 0, 51, 0))]).toBe('amplification');
    expect(core.admitReply(session, 0, 50, 0)).toBe(0);
    admit('10.0.0.1 1', 0, 100);
    expect(core.admitReply(session, 0, 200, 0)).toBe(0);
  });

  it('expires sessions at their idle timeout, which either direction refreshes', () => {
    const { core, admit, ended } = coreOf({ idleTimeoutMs: 1000 });
    const one = Number(admit('10.0.0.1 1', 0));
    const two = Number(admit('10.0.0.2 1', 0));
    core.admitReply(two, 0, 1, 500);
    core.expire(999, 10);
    expect(ended).toEqual([]);
    core.expire(1000, 10);
    expect(ended).toEqual([one]);
    core.expire(1500, 10);
    expect(ended).toEqual([one, two]);
  });

  it('awaits as many answers as the datagrams so far call for', () => {
    const { core, admit } = coreOf({}, { responses: 2 });
    const session = Number(admit('10.0.0.1 1'));
    admit('10.0.0.1 1');
    expect([1, 2, 3, 4].map(() => core.isAnswered(session))).toEqual([false, false, false, true]);
  });
});
