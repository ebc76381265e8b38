import { describe, expect, it } from 'vitest';
import { createUdpEngine } from '../../../src/dataplane/index.ts';
import { lacksNative } from './engines.ts';

const withoutKoffi = () => ({ unavailable: 'koffi could not be loaded: it is not there' });

describe('choosing the UDP engine', () => {
  it('falls back to node:dgram without koffi, and says why', async () => {
    const lines: string[] = [];
    const engine = await createUdpEngine({ log: (_, message) => lines.push(message) }, withoutKoffi);
    expect(engine.kind).toBe('dgram');
    expect(lines).toEqual(['UDP through node:dgram: koffi could not be loaded: it is not there']);
    await engine.close();
  });

  it('refuses when the native one is asked for and cannot be had', async () => {
    await expect(createUdpEngine({ engine: 'native' }, withoutKoffi)).rejects.toThrow('it is not there');
  });

  it('takes node:dgram when it is asked for', async () => {
    const engine = await createUdpEngine({ engine: 'dgram' });
    expect(engine.kind).toBe('dgram');
    await engine.close();
  });

  it.skipIf(lacksNative)('takes the native one where it can be had (needs koffi)', async () => {
    const engine = await createUdpEngine({ workers: 1 });
    expect(engine.kind).toBe('native');
    await engine.close();
  });
});
