import { describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoint, RouteTable } from '../../../src/dataplane/index.ts';
import { NamedEndpoints } from '../../../src/ingress/serve/named-endpoints.ts';
import { engines } from '../../dataplane/udp/engines.ts';
import { eventually, startBackend, startClient, startEngine } from '../../dataplane/udp/support.ts';

const tableOf = (...endpoints: Omit<Endpoint, 'state'>[]): RouteTable => ({
  generation: 1,
  udp: [
    {
      kind: 'forward',
      entryPoint: 'dns',
      route: {
        name: 'r',
        services: [{ name: 's', weight: 1, endpoints: endpoints.map((one) => ({ ...one, state: 'ready' })) }],
      },
    },
  ],
});

function world(everyMs = 60_000) {
  const answers = new Map<string, readonly string[] | Error>();
  const applied: RouteTable[] = [];
  const logged: string[] = [];
  const write = (_fields: unknown, text?: string) => void logged.push(text ?? '');
  const looked: string[] = [];
  const names = new NamedEndpoints({
    engine: {
      apply: (table) => {
        applied.push(table);
        return Promise.resolve();
      },
    },
    lookup: (name) => {
      looked.push(name);
      const answer = answers.get(name) ?? new Error(`ENOTFOUND ${name}`);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    log: { info: write, warn: write, error: write } as never,
    everyMs,
  });
  onTestFinished(() => names.stop());
  const shown = () => {
    const [decision] = applied.at(-1)?.udp ?? [];
    const services = decision?.kind === 'forward' ? decision.route.services : [];
    return services.flatMap(({ endpoints }) => endpoints.map(({ address, port }) => `${address}:${port}`));
  };
  return { names, answers, applied, logged, shown, looked };
}

describe('endpoints by name', () => {
  it('are handed over by address, once their names are looked up; others wait for nothing', async () => {
    const { names, answers, applied, shown } = world();
    answers.set('ntp.example.com', ['192.0.2.2', '192.0.2.1', '192.0.2.2']);
    await names.apply(tableOf({ address: 'ntp.example.com', port: 123 }, { address: '10.0.0.1', port: 1 }));
    expect(shown()).toEqual(['10.0.0.1:1']);
    await eventually(() => applied.length === 2);
    expect(shown()).toEqual(['192.0.2.1:123', '192.0.2.2:123', '10.0.0.1:1']);
  });

  it('leave a table without names as it is', async () => {
    const { names, applied, looked } = world();
    const table = tableOf({ address: '10.0.0.1', port: 1 }, { address: '2001:db8::1', port: 1 });
    await names.apply(table);
    expect(applied[0]).toBe(table);
    expect(looked).toEqual([]);
  });

  it('follow their names, and keep the last addresses when nobody knows them any more', async () => {
    const { names, answers, applied, shown, logged } = world(5);
    answers.set('a.test', ['192.0.2.1']);
    const table = tableOf({ address: 'a.test', port: 1 });
    await names.apply(table);
    await eventually(() => shown().includes('192.0.2.1:1'));
    answers.set('a.test', ['192.0.2.9']);
    await eventually(() => shown().includes('192.0.2.9:1'));
    answers.delete('a.test');
    await eventually(() => logged.some((text) => text.includes('its last addresses stay in use')));
    expect(shown()).toEqual(['192.0.2.9:1']);
    // The same decision with the same addresses is the same object: the engines have nothing to do.
    const [before] = applied.at(-1)?.udp ?? [];
    await names.apply({ ...table, generation: 2 });
    expect(applied.at(-1)?.udp[0]).toBe(before);
  });

  it('that are not known yet are said to be dropped, once', async () => {
    const { names, logged, looked } = world(2);
    await names.apply(tableOf({ address: 'nowhere.test', port: 1 }));
    await eventually(() => looked.length > 5);
    expect(logged).toEqual([
      'nowhere.test has no address: its datagrams are dropped: Error: ENOTFOUND nowhere.test',
    ]);
  });

  it('are looked up no more once no route names them', async () => {
    const { names, answers, applied, looked } = world(2);
    answers.set('a.test', ['192.0.2.1']);
    await names.apply(tableOf({ address: 'a.test', port: 1 }));
    await eventually(() => applied.length === 2);
    await names.apply(tableOf({ address: 'b.test', port: 1 }));
    const count = looked.filter((name) => name === 'a.test').length;
    await eventually(() => looked.filter((name) => name === 'b.test').length > 3);
    expect(looked.filter((name) => name === 'a.test')).toHaveLength(count);
  });
});

describe.each(engines)('a datagram to a name, over the $engine engine', (options) => {
  it('arrives', async () => {
    const backend = await startBackend();
    const engine = await startEngine(options);
    const names = new NamedEndpoints({
      engine,
      lookup: () => Promise.resolve(['127.0.0.1']),
      log: { info() {}, warn() {}, error() {} },
    });
    onTestFinished(() => names.stop());
    await names.apply(tableOf({ address: 'echo.test', port: backend.port }));
    const listener = { kind: 'address', address: '127.0.0.1', port: 0 } as const;
    const [place] = await engine.open({ name: 'dns' }, [listener]);
    await eventually(() => engine.counters()[0]?.endpoints.length === 1);
    expect(String(await (await startClient(place!)).ask('x'))).toBe('x');
  });
});
