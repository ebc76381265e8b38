import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../src/dataplane/udp/core/address.ts';
import {
  allocateSessionLog,
  SessionAccounts,
  SessionLogReader,
} from '../../../../src/dataplane/udp/core/session-log.ts';

function logOf() {
  const shared = allocateSessionLog();
  const accounts = new SessionAccounts(shared);
  accounts.grow(4);
  const client = new Uint32Array(4);
  const endpoint = new Uint32Array(4);
  parseAddress('2001:db8::1', client);
  parseAddress('10.0.0.7', endpoint);
  const end = (session: number, endpointPort = 53) =>
    accounts.end(session, client, 0, 4000, endpoint, 0, endpointPort, 10, 20, 1500, 1);
  return { accounts, end, reader: new SessionLogReader('dns', shared) };
}

describe('the log of sessions', () => {
  it('tells each of them once, with all that was counted', () => {
    const { accounts, end, reader } = logOf();
    accounts.start(2, 1000);
    accounts.datagramsIn[2] = 3;
    accounts.datagramsOut[2] = 4;
    end(2);
    expect(reader.read('r')).toEqual([
      {
        entryPoint: 'dns',
        client: '[2001:db8::1]:4000',
        route: 'r',
        endpoint: '10.0.0.7:53',
        reason: 'evicted',
        datagramsIn: 3,
        bytesIn: 10,
        datagramsOut: 4,
        bytesOut: 20,
        durationMs: 500,
      },
    ]);
    expect(reader.read('r')).toEqual([]);
    accounts.start(2, 1400);
    end(2, -1);
    const [record] = reader.read(undefined);
    expect(record).toMatchObject({ datagramsIn: 0, durationMs: 100 });
    expect(record).not.toHaveProperty('endpoint');
    expect(record).not.toHaveProperty('route');
  });

  it('keeps the newest when nobody reads, and counts the others', () => {
    const { accounts, end, reader } = logOf();
    for (let count = 0; count < 5000; count++) {
      accounts.start(1, count);
      end(1);
    }
    const records = reader.read(undefined);
    expect(records.length + reader.missed).toBe(5000);
    expect(reader.missed).toBeGreaterThan(0);
    expect(records.at(-1)).toMatchObject({ durationMs: 1500 - 4999 });
  });

  it('forgets who answered when that endpoint is gone', () => {
    const { accounts } = logOf();
    accounts.start(0, 0);
    accounts.start(1, 0);
    accounts.answeredBy.set([5, 6]);
    accounts.forgetSlots([5]);
    expect([...accounts.answeredBy.subarray(0, 2)]).toEqual([-1, 6]);
  });
});
