import { describe, expect, it } from 'vitest';
import { type Case, compile, entryPoint, findings, routers, world } from './conformance.ts';

/** An IngressRouteTCP called test.route, of entry point foo. `spec` is the rest of it, in YAML flow or block style. */
const route = (routes: string, spec = '', metadata = '') => `
---
kind: IngressRouteTCP
metadata: { name: test.route${metadata ? `, ${metadata}` : ''} }
spec:
  entryPoints: [foo]
  routes: ${routes}
  ${spec}
`;

const catchAll = 'default-test.route-673acf455cb2dab0b43a';
const both = '10.10.0.1:80, 10.10.0.2:80';
const toWhoami = '[{ match: HostSNI(`*`), services: [{ name: whoami, port: 8000 }] }]';
const to = (service: string) => `[{ match: HostSNI(\`*\`), services: [${service}] }]`;

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
      name: 'one service: its endpoints by the port name of the Service',
      objects: world + route(toWhoami),
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
    },
    {
      name: 'the name is namespace, IngressRouteTCP and hash of the match',
      objects: `${world}${route('[{ match: HostSNI(`foo.com`), services: [{ name: whoami, port: 8000 }] }]', 'tls: { passthrough: true }')}`,
      routers: [`foo: default-test.route-fdd3e9338e47a45efefc (18 passthrough) = whoami*1[${both}]`],
    },
    {
      name: 'generateName stands in for a name that is empty',
      objects: world + route(toWhoami).replace('name: test.route', 'name: "", generateName: gen-'),
      routers: [`foo: default-gen--673acf455cb2dab0b43a (-1) = whoami*1[${both}]`],
    },
    {
      name: 'a port by its name',
      objects: world + route(to('{ name: whoami, port: tcp }')),
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
    },
    {
      name: 'a port number written as text',
      objects: world + route(to('{ name: whoami, port: "8000" }')),
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
    },
    {
      name: 'two services with weights; 1 where there is none',
      objects: world + route(to('{ name: whoami, port: 8000, weight: 3 }, { name: other, port: 9000 }')),
      routers: [`foo: ${catchAll} (-1) = whoami*3[${both}] other*1[10.10.0.9:90]`],
    },
    {
      name: 'the weight of an only service counts for nothing',
      objects: world + route(to('{ name: whoami, port: 8000, weight: 0 }')),
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
    },
    {
      name: 'weight 0 everywhere carries nothing',
      objects:
        world + route(to('{ name: whoami, port: 8000, weight: 0 }, { name: other, port: 9000, weight: 0 }')),
      routers: [`foo: ${catchAll} (-1) = no_endpoints`],
    },
    {
      name: 'the services that resolve go on when one does not',
      objects: world + route(to('{ name: gone, port: 1 }, { name: other, port: 9000 }')),
      routers: [`foo: ${catchAll} (-1) = other*1[10.10.0.9:90]`],
      findings: ['SL3102 error spec.routes.0.services.0.name'],
    },
    {
      name: 'a Service that does not exist',
      objects: world + route(to('{ name: gone, port: 1 }')),
      routers: [`foo: ${catchAll} (-1) = no_service`],
      findings: ['SL3102 error spec.routes.0.services.0.name'],
    },
    {
      name: 'a port that the Service does not have',
      objects: world + route(to('{ name: whoami, port: 1 }')),
      routers: [`foo: ${catchAll} (-1) = no_service`],
      findings: ['SL3103 error spec.routes.0.services.0.port'],
    },
    {
      name: 'a route without services',
      objects: world + route('[{ match: HostSNI(`*`) }]'),
      routers: [`foo: ${catchAll} (-1) = no_service`],
    },
    {
      name: 'a Service whose port is UDP serves all the same, with a warning',
      objects: `${world.replace('{ name: tcp, port: 9000, protocol: TCP }', '').replace('    - \n', '')}${route(to('{ name: other, port: 9000 }'))}`,
      routers: [`foo: ${catchAll} (-1) = other*1[10.10.0.9:91]`],
      findings: ['SL3208 warning spec.routes.0.services.0.port'],
    },
    {
      name: 'the TCP port is meant where UDP shares its number and comes first',
      objects: `
kind: Service
metadata: { name: dns }
spec: { ports: [{ name: dns, port: 53, protocol: UDP }, { name: dns-tcp, port: 53, protocol: TCP }] }
---
kind: EndpointSlice
metadata: { name: dns-1, labels: { kubernetes.io/service-name: dns } }
addressType: IPv4
endpoints: [{ addresses: [10.10.0.5], conditions: { ready: true } }]
ports: [{ name: dns, port: 5353, protocol: UDP }, { name: dns-tcp, port: 5300, protocol: TCP }]
${route(to('{ name: dns, port: 53 }'))}`,
      routers: [`foo: ${catchAll} (-1) = dns*1[10.10.0.5:5300]`],
    },
  ],

  'entry points': [
    {
      name: 'without entryPoints: every TCP entry point but traefik',
      objects: world + route(toWhoami).replace('entryPoints: [foo]', 'entryPoints: []'),
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`, `bar: ${catchAll} (-1) = whoami*1[${both}]`],
    },
    {
      name: 'without entryPoints, where some are asDefault: those',
      objects: world + route(toWhoami).replace('entryPoints: [foo]', ''),
      entryPoints: [entryPoint('foo', 'tcp'), entryPoint('bar', 'tcp', true)],
      routers: [`bar: ${catchAll} (-1) = whoami*1[${both}]`],
    },
    {
      name: 'an entry point that does not exist',
      objects: world + route(toWhoami).replace('[foo]', '[nope]'),
      routers: [],
      findings: ['SL3101 error spec.entryPoints.0'],
    },
    {
      name: 'the entry points that exist go on when one does not',
      objects: world + route(toWhoami).replace('[foo]', '[nope, bar]'),
      routers: [`bar: ${catchAll} (-1) = whoami*1[${both}]`],
      findings: ['SL3101 error spec.entryPoints.0'],
    },
    {
      name: 'a UDP entry point is none for TCP',
      objects: world + route(toWhoami).replace('[foo]', '[myudp]'),
      routers: [],
      findings: ['SL3101 error spec.entryPoints.0'],
    },
    {
      name: 'an entry point named twice is bound once',
      objects: world + route(toWhoami).replace('[foo]', '[foo, foo]'),
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
    },
    {
      name: 'the names of entry points are compared with regard to case',
      objects: world + route(toWhoami).replace('[foo]', '[FOO]'),
      routers: [],
      findings: ['SL3101 error spec.entryPoints.0'],
    },
  ],

  'the class of routes': [
    ...[
      { written: 'traefik', served: '', isTaken: true },
      { written: '', served: '', isTaken: true },
      { written: 'nginx', served: '', isTaken: false },
      { written: 'mine', served: 'mine', isTaken: true },
      { written: '', served: 'mine', isTaken: false },
      { written: 'traefik', served: 'mine', isTaken: false },
    ].map(
      ({ written, served, isTaken }): Case => ({
        name: `class "${written}" where "${served}" is served: ${isTaken ? 'taken' : 'left alone'}`,
        objects: world + route(toWhoami, written ? `ingressClassName: ${written}` : ''),
        options: { ingressClass: served },
        routers: isTaken ? [`foo: ${catchAll} (-1) = whoami*1[${both}]`] : [],
      }),
    ),
    {
      name: 'the old annotation says it too',
      objects: world + route(toWhoami, '', 'annotations: { kubernetes.io/ingress.class: nginx }'),
      routers: [],
    },
    {
      name: 'the field wins over the annotation',
      objects:
        world +
        route(toWhoami, 'ingressClassName: traefik', 'annotations: { kubernetes.io/ingress.class: nginx }'),
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
    },
  ],

  'rules and priorities': [
    {
      name: 'the longer rule first, HostSNI(`*`) last',
      objects: `${world}${route(
        `
    - { match: HostSNI(\`*\`), services: [{ name: whoami, port: 8000 }] }
    - { match: HostSNI(\`a.b\`), services: [{ name: whoami, port: 8000 }] }
    - { match: HostSNI(\`a.b\`) && ClientIP(\`10.0.0.0/8\`), services: [{ name: other, port: 9000 }] }`,
        'tls: { passthrough: true }',
      )}`,
      routers: [
        'foo: default-test.route-a8cc481c67b9a66ac6e9 (40 passthrough) = other*1[10.10.0.9:90]',
        `foo: default-test.route-733c3347b1cab22ed2ba (14 passthrough) = whoami*1[${both}]`,
        `foo: ${catchAll} (-1 passthrough) = whoami*1[${both}]`,
      ],
    },
    {
      name: 'a priority that is set wins, negative ones too',
      objects: `${world}${route(
        `
    - { match: ClientIP(\`10.0.0.0/8\`), priority: -5, services: [{ name: whoami, port: 8000 }] }
    - { match: ClientIP(\`10.1.0.0/16\`), priority: 1, services: [{ name: other, port: 9000 }] }
    - { match: ClientIP(\`10.2.0.0/16\`), services: [{ name: other, port: 9000 }] }`,
      )}`,
      routers: [
        expect.stringMatching(/\(23\) = other/) as unknown as string,
        expect.stringMatching(/\(1\) = other/) as unknown as string,
        expect.stringMatching(/\(-5\) = whoami/) as unknown as string,
      ],
    },
    {
      name: 'a priority out of range',
      objects:
        world +
        route(
          '[{ match: HostSNI(`*`), priority: 9223372036854775807, services: [{ name: whoami, port: 8000 }] }]',
        ),
      routers: [],
      findings: ['SL3207 error spec.routes.0.priority'],
    },
    {
      name: 'an empty match',
      objects: world + route('[{ match: "", services: [{ name: whoami, port: 8000 }] }]'),
      routers: [],
      findings: ['SL3201 error spec.routes.0.match'],
    },
    {
      name: 'a match that is none leaves the other routes alone',
      objects: `${world}${route(
        '[{ match: HostSNI(*), services: [{ name: whoami, port: 8000 }] }, { match: HostSNI(`*`), services: [{ name: other, port: 9000 }] }]',
      )}`,
      routers: [`foo: ${catchAll} (-1) = other*1[10.10.0.9:90]`],
      findings: ['SL3201 error spec.routes.0.match'],
    },
    {
      name: 'a server name without tls',
      objects: world + route('[{ match: HostSNI(`foo.com`), services: [{ name: whoami, port: 8000 }] }]'),
      routers: [],
      findings: ['SL3202 error spec.routes.0.match'],
    },
    {
      name: 'a server name without tls, inside a larger rule',
      objects:
        world +
        route(
          '[{ match: "ClientIP(`10.0.0.1`) && !HostSNI(`foo.com`)", services: [{ name: whoami, port: 8000 }] }]',
        ),
      routers: [],
      findings: ['SL3202 error spec.routes.0.match'],
    },
    {
      name: 'ClientIP and ALPN need no tls',
      objects:
        world +
        route('[{ match: ClientIP(`10.0.0.1`) || ALPN(`h2`), services: [{ name: whoami, port: 8000 }] }]'),
      routers: [expect.stringContaining('= whoami') as unknown as string],
    },
    {
      name: 'the same match twice in one IngressRouteTCP: the last is left, and the first is told',
      objects: `${world}${route(
        '[{ match: HostSNI(`*`), services: [{ name: whoami, port: 8000 }] }, { match: HostSNI(`*`), services: [{ name: other, port: 9000 }] }]',
      )}`,
      routers: [`foo: ${catchAll} (-1) = other*1[10.10.0.9:90]`],
      findings: ['SL3206 warning spec.routes.0'],
    },
    {
      name: 'the same match in two IngressRouteTCPs: the older first, and the younger is told',
      objects: `${world}${route(toWhoami, '', "creationTimestamp: '2026-02-01T00:00:00Z'")}${route(
        to('{ name: other, port: 9000 }'),
      ).replace('test.route', 'zzz')}`,
      routers: [
        'foo: default-zzz-673acf455cb2dab0b43a (-1) = other*1[10.10.0.9:90]',
        `foo: ${catchAll} (-1) = whoami*1[${both}]`,
      ],
      findings: ['SL3206 warning spec.routes.0'],
    },
    {
      name: 'of the same age: by name',
      objects: `${world}${route(toWhoami)}${route(to('{ name: other, port: 9000 }')).replace('test.route', 'aaa')}`,
      routers: [
        'foo: default-aaa-673acf455cb2dab0b43a (-1) = other*1[10.10.0.9:90]',
        `foo: ${catchAll} (-1) = whoami*1[${both}]`,
      ],
      findings: ['SL3206 warning spec.routes.0'],
    },
    {
      name: 'a route with TLS and one without do not shadow each other',
      objects: `${world}${route(toWhoami)}${route(to('{ name: other, port: 9000 }'), 'tls: { passthrough: true }').replace('test.route', 'aaa')}`,
      routers: [
        'foo: default-aaa-673acf455cb2dab0b43a (-1 passthrough) = other*1[10.10.0.9:90]',
        `foo: ${catchAll} (-1) = whoami*1[${both}]`,
      ],
    },
    {
      name: 'syntax v2 is read as v3, with a warning',
      objects:
        world + route('[{ match: HostSNI(`*`), syntax: v2, services: [{ name: whoami, port: 8000 }] }]'),
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
      findings: ['SL3108 warning spec.routes.0.syntax'],
    },
  ],

  endpoints: [
    {
      name: 'no endpoints',
      objects: `
kind: Service
metadata: { name: empty }
spec: { ports: [{ port: 1 }] }
${route(to('{ name: empty, port: 1 }'))}`,
      routers: [`foo: ${catchAll} (-1) = no_endpoints`],
      findings: ['SL3104 error spec.routes.0.services.0.name'],
    },
    {
      name: 'no endpoints, where that is allowed: no error, and nothing carried either',
      objects: `
kind: Service
metadata: { name: empty }
spec: { ports: [{ port: 1 }] }
${route(to('{ name: empty, port: 1 }'))}`,
      options: { allowEmptyServices: true },
      routers: [`foo: ${catchAll} (-1) = no_endpoints`],
      findings: ['SL3104 warning spec.routes.0.services.0.name'],
    },
    {
      name: 'not ready, terminating, and without a ready condition',
      objects: `
kind: Service
metadata: { name: app }
spec: { ports: [{ port: 1 }] }
---
kind: EndpointSlice
metadata: { name: app-1, labels: { kubernetes.io/service-name: app } }
addressType: IPv4
endpoints:
  - { addresses: [10.10.0.1], conditions: { ready: false } }
  - { addresses: [10.10.0.2], conditions: { ready: false, serving: true, terminating: true } }
  - { addresses: [10.10.0.3] }
ports: [{ name: "", port: 80 }]
${route(to('{ name: app, port: 1 }'))}`,
      routers: [`foo: ${catchAll} (-1) = app*1[10.10.0.2:80 terminating, 10.10.0.3:80]`],
    },
    {
      name: 'IPv6 endpoints',
      objects: `
kind: Service
metadata: { name: app }
spec: { ports: [{ port: 1 }] }
---
kind: EndpointSlice
metadata: { name: app-1, labels: { kubernetes.io/service-name: app } }
addressType: IPv6
endpoints: [{ addresses: ["fd00:10:244::5"], conditions: { ready: true } }]
ports: [{ name: "", port: 80 }]
${route(to('{ name: app, port: 1 }'))}`,
      routers: [`foo: ${catchAll} (-1) = app*1[fd00:10:244::5:80]`],
    },
    {
      name: 'a slice of another port adds nothing',
      objects: `${world}
---
kind: EndpointSlice
metadata: { name: whoami-2, labels: { kubernetes.io/service-name: whoami } }
addressType: IPv4
endpoints: [{ addresses: [10.10.0.77], conditions: { ready: true } }]
ports: [{ name: metrics, port: 9100, protocol: TCP }]
${route(toWhoami)}`,
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
    },
    {
      name: 'one address on two ports is two endpoints',
      objects: `
kind: Service
metadata: { name: app }
spec: { ports: [{ name: one, port: 1 }] }
---
kind: EndpointSlice
metadata: { name: app-1, labels: { kubernetes.io/service-name: app } }
addressType: IPv4
endpoints: [{ addresses: [10.10.0.1], conditions: { ready: true } }]
ports: [{ name: one, port: 80 }]
---
kind: EndpointSlice
metadata: { name: app-2, labels: { kubernetes.io/service-name: app } }
addressType: IPv4
endpoints: [{ addresses: [10.10.0.1], conditions: { ready: true } }]
ports: [{ name: one, port: 81 }]
${route(to('{ name: app, port: one }'))}`,
      routers: [`foo: ${catchAll} (-1) = app*1[10.10.0.1:80, 10.10.0.1:81]`],
    },
  ],

  'other ways to a service': [
    {
      name: 'nativeLB: the clusterIP and port of the Service',
      objects: world + route(to('{ name: whoami, port: 8000, nativeLB: true }')),
      routers: [`foo: ${catchAll} (-1) = whoami*1[10.96.0.1:8000]`],
    },
    {
      name: 'nativeLB by default',
      objects: world + route(toWhoami),
      options: { nativeLBByDefault: true },
      routers: [`foo: ${catchAll} (-1) = whoami*1[10.96.0.1:8000]`],
    },
    {
      name: 'nativeLB: false wins over the default',
      objects: world + route(to('{ name: whoami, port: 8000, nativeLB: false }')),
      options: { nativeLBByDefault: true },
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
    },
    {
      name: 'nativeLB of a headless Service',
      objects: world + route(to('{ name: other, port: 9000, nativeLB: true }')),
      routers: [`foo: ${catchAll} (-1) = no_service`],
      findings: ['SL3108 error spec.routes.0.services.0.nativeLB'],
    },
    {
      name: 'nodePortLB: the internal address of each node',
      objects: `${world.replace('clusterIP: 10.96.0.1', 'type: NodePort').replace('port: 8000, protocol: TCP', 'port: 8000, protocol: TCP, nodePort: 32000')}
---
kind: Node
metadata: { name: one }
status: { addresses: [{ type: InternalIP, address: 172.16.4.4 }, { type: ExternalIP, address: 203.0.113.1 }] }
---
kind: Node
metadata: { name: two }
status: { addresses: [{ type: Hostname, address: two }, { type: InternalIP, address: 172.16.4.5 }] }
${route(to('{ name: whoami, port: 8000, nodePortLB: true }'))}`,
      routers: [`foo: ${catchAll} (-1) = whoami*1[172.16.4.4:32000, 172.16.4.5:32000]`],
    },
    {
      name: 'nodePortLB without nodes',
      objects: `${world.replace('clusterIP: 10.96.0.1', 'type: NodePort').replace('port: 8000, protocol: TCP', 'port: 8000, protocol: TCP, nodePort: 32000')}${route(to('{ name: whoami, port: 8000, nodePortLB: true }'))}`,
      routers: [`foo: ${catchAll} (-1) = no_service`],
      findings: ['SL3108 error spec.routes.0.services.0.nodePortLB'],
    },
    {
      name: 'nodePortLB of a Service of another type is ignored',
      objects: world + route(to('{ name: whoami, port: 8000, nodePortLB: true }')),
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
      findings: ['SL3108 warning spec.routes.0.services.0.nodePortLB'],
    },
    ...(
      [
        ['without allowance', '', {}, 'no_service', ['SL3108 error spec.routes.0.services.0.name']],
        ['with allowance', '', { allowExternalNameServices: true }, 'ext*1[db.example.com:5432]', []],
        [
          'that lists the port',
          ', ports: [{ name: pg, port: 5432 }]',
          { allowExternalNameServices: true },
          'ext*1[db.example.com:5432]',
          [],
        ],
        [
          'that lists other ports',
          ', ports: [{ name: pg, port: 1 }]',
          { allowExternalNameServices: true },
          'ext*1[db.example.com:5432]',
          ['SL3103 warning spec.routes.0.services.0.port'],
        ],
      ] as const
    ).map(
      ([name, ports, options, target, found]): Case => ({
        name: `an ExternalName Service ${name}`,
        objects: `
kind: Service
metadata: { name: ext }
spec: { type: ExternalName, externalName: db.example.com${ports} }
${route(to('{ name: ext, port: 5432 }'))}`,
        options,
        routers: [`foo: ${catchAll} (-1) = ${target}`],
        findings: found,
      }),
    ),
    {
      name: 'an ExternalName Service by a port name that it lists',
      objects: `
kind: Service
metadata: { name: ext }
spec: { type: ExternalName, externalName: db.example.com, ports: [{ name: pg, port: 5432 }] }
${route(to('{ name: ext, port: pg }'))}`,
      options: { allowExternalNameServices: true },
      routers: [`foo: ${catchAll} (-1) = ext*1[db.example.com:5432]`],
    },
    {
      name: 'an ExternalName Service by a port name that it does not list',
      objects: `
kind: Service
metadata: { name: ext }
spec: { type: ExternalName, externalName: db.example.com }
${route(to('{ name: ext, port: pg }'))}`,
      options: { allowExternalNameServices: true },
      routers: [`foo: ${catchAll} (-1) = no_service`],
      findings: ['SL3103 error spec.routes.0.services.0.port'],
    },
    {
      name: 'a Service of another namespace',
      objects:
        world.replaceAll('{ name: other', '{ namespace: far, name: other') +
        route(to('{ name: other, namespace: far, port: 9000 }')),
      routers: [`foo: ${catchAll} (-1) = no_service`],
      findings: ['SL3106 error spec.routes.0.services.0.namespace'],
    },
    {
      name: 'a Service of another namespace, where that is allowed',
      objects:
        world.replaceAll('{ name: other', '{ namespace: far, name: other') +
        route(to('{ name: other, namespace: far, port: 9000 }')),
      options: { allowCrossNamespace: true },
      routers: [`foo: ${catchAll} (-1) = far/other*1[10.10.0.9:90]`],
    },
    {
      name: 'its own namespace may be written out',
      objects: world + route(to('{ name: whoami, namespace: default, port: 8000 }')),
      routers: [`foo: ${catchAll} (-1) = whoami*1[${both}]`],
    },
  ],
};

describe.each(Object.entries(cases))('TCP routing: %s', (_, group) => {
  it.each(group)('$name', check);
});
