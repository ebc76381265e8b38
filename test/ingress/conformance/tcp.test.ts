/** Traefik's rules for TCP, case by case; the rules' own grammar and TLS have tests of their own beside their code. */

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { backend, outcomeOf, tcpRoute, usualEntryPoints } from './traefik-world.ts';

const ports = '[{ name: myapp, port: 8000, protocol: TCP }]';
const app = backend('whoamitcp', { ports, slicePorts: ports });
const hash = (match: string) => createHash('sha256').update(match).digest('hex').slice(0, 20);
const any = 'HostSNI(`*`)';

describe('TCP names', () => {
  it('are <namespace>-<name>-<hash of the match>', () => {
    const { tcpRouters, tcpServices } = outcomeOf(`${app}${tcpRoute('r', any)}`);
    const name = `default-r-${hash(any)}`;
    expect(tcpRouters).toEqual([`${name} [enabled] raw -> ${name}`]);
    expect(tcpServices).toEqual([`${name} = 10.10.0.1:8000, 10.10.0.2:8000`]);
  });

  it('of the parts of a weighted service end with the Service and the port', () => {
    const other = backend('other', { ports, slicePorts: ports, addresses: ['10.0.0.9'] });
    const services = '[{ name: whoamitcp, port: 8000, weight: 2 }, { name: other, port: myapp, weight: 3 }]';
    const name = `default-r-${hash(any)}`;
    expect(outcomeOf(`${app}${other}${tcpRoute('r', any, { services })}`).tcpServices[0]).toBe(
      `${name} = ${name}-whoamitcp-8000*2, ${name}-other-myapp*3`,
    );
  });
});

describe('TCP entry points', () => {
  const using = (entryPoints: string, words = usualEntryPoints) =>
    outcomeOf(`${app}${tcpRoute('r', any, { entryPoints })}`, {}, words).tcpRouters[0]?.split(' ')[2];
  it.each([
    ['one', '[raw]', 'raw'],
    ['two', '[raw, web]', 'raw,web'],
    ['none: every TCP one', '[]', 'web,raw'],
    ['a UDP one', '[foo]', ''],
    ['one that does not exist', '[nope]', ''],
  ])('named: %s', (_what, entryPoints, expected) => {
    expect(using(entryPoints)).toBe(expected);
  });

  it('omitted mean those marked as default, and never the one of the API', () => {
    expect(using('[]', [...usualEntryPoints, '--entrypoints.raw.asdefault'])).toBe('raw');
    expect(using('[]', [...usualEntryPoints, '--entrypoints.traefik.address=:8080'])).toBe('web,raw');
  });
});

describe('TCP routes of one entry point', () => {
  const order = (...routes: string[]) =>
    outcomeOf([app, ...routes].join(''))
      .routing.table.tcp?.find(({ entryPoint }) => entryPoint === 'raw')
      ?.routes.map(({ name, priority }) => `${name.split('-')[1]} ${priority}`);
  it('are tried by priority: the length of the rule, and -1 for what matches anything', () => {
    expect(order(tcpRoute('any', any), tcpRoute('net', 'ClientIP(`10.0.0.0/8`)'))).toEqual([
      'net 22',
      'any -1',
    ]);
  });

  it('are tried by the priority that they ask for', () => {
    expect(
      order(
        tcpRoute('low', 'ClientIP(`10.0.0.0/8`)', { route: 'priority: 1' }),
        tcpRoute('high', any, { route: 'priority: 2' }),
      ),
    ).toEqual(['high 2', 'low 1']);
  });

  it('that name a host need TLS', () => {
    const yaml = `${app}${tcpRoute('r', 'HostSNI(`a.example`)')}`;
    expect(outcomeOf(yaml).findings[0]).toMatch(/^SL3202/);
    const tls = tcpRoute('r', 'HostSNI(`a.example`)', { tls: '{ passthrough: true }' });
    expect(outcomeOf(`${app}${tls}`).tcpRouters[0]).toContain('[enabled]');
  });

  it.each([
    ['an empty match', '', 'SL3201'],
    ['a matcher that does not exist', 'Host(`a`)', 'SL3201'],
    ['a matcher without a value', 'HostSNI()', 'SL3201'],
    ['half a rule', 'HostSNI(`*`) &&', 'SL3201'],
  ])('with %s are left out, with the reason', (_what, match, code) => {
    const outcome = outcomeOf(`${app}${tcpRoute('r', match)}`);
    expect(outcome.tcpRouters).toEqual([]);
    expect(outcome.findings[0]).toMatch(new RegExp(`^${code} default/r`));
  });

  it.each([
    ['a missing Service', '[{ name: nothing, port: 1 }]', 'no_service'],
    ['a missing port', '[{ name: whoamitcp, port: 1 }]', 'no_service'],
    ['another namespace', '[{ name: whoamitcp, namespace: other, port: 8000 }]', 'no_service'],
    ['no endpoints', '[{ name: empty, port: 8000 }]', 'no_endpoints'],
  ])('with %s refuse what they match', (_what, services, reason) => {
    const empty = backend('empty', { ports, slicePorts: ports, addresses: [] });
    const outcome = outcomeOf(`${app}${empty}${tcpRoute('r', any, { services })}`);
    const raw = outcome.routing.table.tcp?.find(({ entryPoint }) => entryPoint === 'raw');
    expect(raw?.routes[0]?.refusal?.reason).toBe(reason);
    expect(outcome.tcpRouters[0]).toContain('[disabled]');
  });

  it('whose middleware is missing are not served unguarded', () => {
    const outcome = outcomeOf(`${app}${tcpRoute('r', any, { route: 'middlewares: [{ name: nothing }]' })}`);
    expect(outcome.tcpRouters[0]).toContain('[disabled]');
    expect(outcome.findings[0]).toMatch(/^SL3203/);
  });

  it('keep their order, whatever the order of their coming', () => {
    const routes = ['a', 'b', 'c'].map((name) =>
      tcpRoute(name, `ClientIP(\`10.0.0.${name.charCodeAt(0)}\`)`),
    );
    expect(order(...routes)).toEqual(order(...routes.toReversed()));
  });
});
