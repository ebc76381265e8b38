import { describe, expect, it } from 'vitest';
import { type Case, compile, entryPoint, findings, routers, world } from './conformance.ts';

/** An IngressRouteUDP called test.route, of entry point myudp. `services` in YAML flow style, one list per route. */
const route = (services: string | string[], spec = '', metadata = '') => `
---
kind: IngressRouteUDP
metadata: { name: test.route${metadata ? `, ${metadata}` : ''} }
spec:
  entryPoints: [myudp]
  routes:
${[services]
  .flat()
  .map((list) => `    - services: [${list}]`)
  .join('\n')}
  ${spec}
`;

const toWhoami = '{ name: whoami, port: 8000 }';
const toOther = '{ name: other, port: 9000 }';
const both = '10.10.0.1:81, 10.10.0.2:81';
const name = 'default-test.route-0';

function check({ routers: expected, findings: found = [], ...given }: Case): void {
  const compiled = compile(given);
  expect({ routers: routers(compiled), findings: findings(compiled) }).toEqual({
    routers: expected,
    findings: found,
  });
}

const cases: Record<string, Case[]> = {
  'names and services': [
    {
      name: 'one service',
      objects: world + route(toWhoami),
      routers: [`myudp: ${name} = whoami*1[${both}]`],
    },
    {
      name: 'a port by its name',
      objects: world + route('{ name: whoami, port: udp }'),
      routers: [`myudp: ${name} = whoami*1[${both}]`],
    },
    {
      name: 'the UDP port is meant where TCP shares its number and comes first',
      objects: world + route('{ name: whoami, port: "8000" }'),
      routers: [`myudp: ${name} = whoami*1[${both}]`],
    },
    {
      name: 'two services with weights; 1 where there is none',
      objects: world + route(`{ name: whoami, port: 8000, weight: 3 }, ${toOther}`),
      routers: [`myudp: ${name} = whoami*3[${both}] other*1[10.10.0.9:91]`],
    },
    {
      name: 'the weight of an only service counts for nothing',
      objects: world + route('{ name: whoami, port: 8000, weight: 0 }'),
      routers: [`myudp: ${name} = whoami*1[${both}]`],
    },
    {
      name: 'a Service that does not exist',
      objects: world + route('{ name: gone, port: 1 }'),
      routers: [`myudp: ${name} = no_service`],
      findings: ['SL3102 error spec.routes.0.services.0.name'],
    },
    {
      name: 'a port that the Service does not have',
      objects: world + route('{ name: whoami, port: 1 }'),
      routers: [`myudp: ${name} = no_service`],
      findings: ['SL3103 error spec.routes.0.services.0.port'],
    },
    {
      name: 'the services that resolve go on when one does not',
      objects: world + route(`{ name: gone, port: 1 }, ${toOther}`),
      routers: [`myudp: ${name} = other*1[10.10.0.9:91]`],
      findings: ['SL3102 error spec.routes.0.services.0.name'],
    },
    {
      name: 'a Service whose port is TCP serves all the same, with a warning',
      objects: world.replace('    - { name: udp, port: 9000, protocol: UDP }\n', '') + route(toOther),
      routers: [`myudp: ${name} = other*1[10.10.0.9:90]`],
      findings: ['SL3107 warning spec.routes.0.services.0.port'],
    },
  ],
  'entry points and conflicts': [
    {
      name: 'without entryPoints: every UDP entry point, asDefault or not',
      objects: world + route(toWhoami).replace('entryPoints: [myudp]', ''),
      entryPoints: [entryPoint('one', 'udp', true), entryPoint('two', 'udp'), entryPoint('three', 'tcp')],
      routers: [`one: ${name} = whoami*1[${both}]`, `two: ${name} = whoami*1[${both}]`],
    },
    {
      name: 'an entry point that does not exist',
      objects: world + route(toWhoami).replace('[myudp]', '[nope]'),
      routers: [],
      findings: ['SL3101 error spec.entryPoints.0'],
    },
    {
      name: 'a TCP entry point is none for UDP',
      objects: world + route(toWhoami).replace('[myudp]', '[foo]'),
      routers: [],
      findings: ['SL3101 error spec.entryPoints.0'],
    },
    {
      name: 'two routes of one object: the first holds the entry point (Traefik: the last), and the second is told',
      objects: world + route([toWhoami, toOther]),
      routers: [`myudp: ${name} = whoami*1[${both}]`],
      findings: ['SL3105 warning spec.routes.1'],
    },
    {
      name: 'two objects: the older holds the entry point (Traefik: the name that sorts last)',
      objects: `${world}${route(toWhoami, '', "creationTimestamp: '2026-02-01T00:00:00Z'")}${route(toOther).replace('test.route', 'aaa')}`,
      routers: ['myudp: default-aaa-0 = other*1[10.10.0.9:91]'],
      findings: ['SL3105 warning spec.routes.0'],
    },
    {
      name: 'TCP and UDP on entry points of their own do not meet',
      objects: `${world}${route(toWhoami)}
---
kind: IngressRouteTCP
metadata: { name: test.route }
spec: { entryPoints: [foo], routes: [{ match: HostSNI(\`*\`), services: [${toWhoami}] }] }
`,
      routers: [
        'foo: default-test.route-673acf455cb2dab0b43a (-1) = whoami*1[10.10.0.1:80, 10.10.0.2:80]',
        `myudp: ${name} = whoami*1[${both}]`,
      ],
    },
    {
      name: 'a class that is not served',
      objects: world + route(toWhoami, 'ingressClassName: nginx'),
      routers: [],
    },
    {
      name: 'a class that is',
      objects: world + route(toWhoami, 'ingressClassName: mine'),
      options: { ingressClass: 'mine' },
      routers: [`myudp: ${name} = whoami*1[${both}]`],
    },
  ],
  'other ways to a service': [
    {
      name: 'nativeLB: the clusterIP and port of the Service',
      objects: world + route('{ name: whoami, port: 8000, nativeLB: true }'),
      routers: [`myudp: ${name} = whoami*1[10.96.0.1:8000]`],
    },
    {
      name: 'nativeLB by default, but for the route that says otherwise',
      objects: world + route('{ name: whoami, port: 8000, nativeLB: false }'),
      options: { nativeLBByDefault: true },
      routers: [`myudp: ${name} = whoami*1[${both}]`],
    },
    {
      name: 'nativeLB of a headless Service',
      objects: world + route('{ name: other, port: 9000, nativeLB: true }'),
      routers: [`myudp: ${name} = no_service`],
      findings: ['SL3108 error spec.routes.0.services.0.nativeLB'],
    },
    {
      name: 'nodePortLB: the internal address of each node',
      objects: `${world
        .replace('clusterIP: 10.96.0.1', 'type: NodePort')
        .replace('port: 8000, protocol: UDP', 'port: 8000, protocol: UDP, nodePort: 32001')}
---
kind: Node
metadata: { name: one }
status: { addresses: [{ type: InternalIP, address: 172.16.4.4 }] }
${route('{ name: whoami, port: 8000, nodePortLB: true }')}`,
      routers: [`myudp: ${name} = whoami*1[172.16.4.4:32001]`],
    },
    {
      name: 'an ExternalName Service without allowance',
      objects: `
kind: Service
metadata: { name: ext }
spec: { type: ExternalName, externalName: ntp.example.com }
${route('{ name: ext, port: 123 }')}`,
      routers: [`myudp: ${name} = no_service`],
      findings: ['SL3108 error spec.routes.0.services.0.name'],
    },
    {
      name: 'an ExternalName Service with allowance',
      objects: `
kind: Service
metadata: { name: ext }
spec: { type: ExternalName, externalName: ntp.example.com }
${route('{ name: ext, port: 123 }')}`,
      options: { allowExternalNameServices: true },
      routers: [`myudp: ${name} = ext*1[ntp.example.com:123]`],
    },
    {
      name: 'a Service of another namespace',
      objects:
        world.replaceAll('{ name: other', '{ namespace: far, name: other') +
        route('{ name: other, namespace: far, port: 9000 }'),
      routers: [`myudp: ${name} = no_service`],
      findings: ['SL3106 error spec.routes.0.services.0.namespace'],
    },
    {
      name: 'a Service of another namespace, where that is allowed',
      objects:
        world.replaceAll('{ name: other', '{ namespace: far, name: other') +
        route('{ name: other, namespace: far, port: 9000 }'),
      options: { allowCrossNamespace: true },
      routers: [`myudp: ${name} = far/other*1[10.10.0.9:91]`],
    },
    {
      name: 'no endpoints, where that is allowed',
      objects: `
kind: Service
metadata: { name: empty }
spec: { ports: [{ port: 1, protocol: UDP }] }
${route('{ name: empty, port: 1 }')}`,
      options: { allowEmptyServices: true },
      routers: [`myudp: ${name} = no_endpoints`],
      findings: ['SL3104 warning spec.routes.0.services.0.name'],
    },
  ],
};

describe.each(Object.entries(cases))('UDP routing: %s', (_, group) => {
  it.each(group)('$name', check);
});

describe('changes that leave nothing behind', () => {
  it('drops what the last route of an entry point held once it is gone, or broken', () => {
    expect(compile({ objects: world }).table.udp).toMatchObject([{ kind: 'drop', reason: 'no_route' }]);
    const broken = compile({ objects: world + route('{ name: gone, port: 1 }') });
    expect(broken.table.udp).toMatchObject([{ kind: 'drop', reason: 'no_service' }]);
  });

  it('refuses what the last TCP route held once it is gone, or broken', () => {
    const tcp = (service: string) => `
---
kind: IngressRouteTCP
metadata: { name: r }
spec: { entryPoints: [foo], routes: [{ match: HostSNI(\`*\`), services: [{ name: ${service}, port: 8000 }] }] }
`;
    expect(compile({ objects: world }).table.tcp?.[0]).toEqual({ entryPoint: 'foo', routes: [] });
    const [first] = compile({ objects: world + tcp('gone') }).table.tcp?.[0]?.routes ?? [];
    expect(first?.refusal?.reason).toBe('no_service');
  });
});
