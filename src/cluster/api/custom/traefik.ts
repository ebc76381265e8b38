/** Traefik's custom resources, in words of our own. */

import type { KubeObject } from '../../../kubernetes/index.ts';
import { definition } from './definition.ts';
import { flag, intOrString, list, type Node, object, open, reference, text, whole } from './schema-words.ts';

const traefik = { group: 'traefik.io', version: 'v1alpha1' } as const;

const entryPoints = list(
  text('Name of an entry point.'),
  'The entry points that the routes are for; all of the protocol where none is named.',
);
/**
 * Traefik's own definitions have no status: what sluice's ingress finds out about a route goes there. The columns are
 * those of `-o wide` only, so that the rest is what Traefik's users know.
 */
const routeStatus = {
  status: open('What the ingress makes of the routes: conditions, entry points, ready endpoints.'),
  statusSubresource: true,
  columns: [
    { name: 'EntryPoints', type: 'string', jsonPath: '.spec.entryPoints', priority: 1 },
    { name: 'State', type: 'string', jsonPath: '.status.state', priority: 1 },
    { name: 'Endpoints', type: 'integer', jsonPath: '.status.endpoints', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
} as const;
const ingressClassName = text('The ingress class whose controller serves the routes.');

const service = (more: Record<string, Node>): Node =>
  object({
    'name!': text('Name of the Service.'),
    namespace: text("Namespace of the Service; the route's own where absent."),
    'port!': intOrString('A port of the Service, by number or name.'),
    weight: whole('Its share among the services of the route.'),
    nativeLB: flag("Send to the Service's cluster IP and let the cluster balance."),
    nodePortLB: flag('Send to the node port on every node.'),
    ...more,
  });

const tls: Node = object(
  {
    certResolver: text('What obtains certificates.'),
    domains: list(
      object({ main: text('The main name.'), sans: list(text('A further name.'), 'Further names.') }),
      'The names that certificates are obtained for.',
    ),
    options: reference('TLSOption'),
    passthrough: flag('Leave the encryption to the service.'),
    secretName: text('A Secret with the certificate.'),
    store: reference('TLSStore'),
  },
  'How connections are encrypted.',
);

const routeUdp = definition({
  ...traefik,
  ...routeStatus,
  kind: 'IngressRouteUDP',
  description: 'Sends the datagrams that arrive at an entry point to services.',
  spec: object(
    {
      ingressClassName,
      entryPoints,
      'routes!': list(
        object({ services: list(service({}), 'The services that datagrams are balanced over.') }),
        'What is done with the datagrams.',
      ),
    },
    'What arrives where, and goes where.',
  ),
});

const routeTcp = definition({
  ...traefik,
  ...routeStatus,
  kind: 'IngressRouteTCP',
  description: 'Sends the connections that arrive at an entry point to services.',
  spec: object(
    {
      ingressClassName,
      entryPoints,
      'routes!': list(
        object({
          'match!': text('Which connections are meant, as HostSNI(`*`).'),
          priority: whole('Higher rules are tried first.'),
          syntax: text('The syntax of the rule.', { enum: ['v3', 'v2'] }),
          middlewares: list(reference('MiddlewareTCP'), 'What connections go through on their way.'),
          services: list(
            service({
              terminationDelay: whole('Milliseconds that a half-closed connection is kept.'),
              proxyProtocol: object(
                { version: whole('1 or 2.', { minimum: 1, maximum: 2 }) },
                'Tell the service the address of the client.',
              ),
              serversTransport: text('A ServersTransportTCP.'),
              tls: flag('Encrypt towards the service.'),
            }),
            'The services that connections are balanced over.',
          ),
        }),
        'What is done with the connections.',
      ),
      tls,
    },
    'What arrives where, and goes where.',
  ),
});

const routeHttp = definition({
  ...traefik,
  kind: 'IngressRoute',
  description:
    'Sends the HTTP requests that arrive at an entry point to services. Stored; sluice serves UDP and TCP.',
  spec: object(
    {
      ingressClassName,
      entryPoints,
      'routes!': list(
        object({
          'match!': text('Which requests are meant, as Host(`example.com`).'),
          kind: text('Always Rule.', { enum: ['Rule'] }),
          priority: whole('Higher rules are tried first.'),
          syntax: text('The syntax of the rule.', { enum: ['v3', 'v2'] }),
          middlewares: list(reference('Middleware'), 'What requests go through on their way.'),
          observability: open('What is recorded of the requests.'),
          services: list(
            open('A Service or a TraefikService.'),
            'The services that requests are balanced over.',
          ),
        }),
        'What is done with the requests.',
      ),
      tls,
    },
    'What arrives where, and goes where.',
  ),
});

const storedOnly: readonly [kind: string, description: string][] = [
  ['Middleware', 'Changes HTTP requests or answers on their way.'],
  ['MiddlewareTCP', 'Limits connections on their way.'],
  ['ServersTransport', 'How HTTP services are spoken to.'],
  ['ServersTransportTCP', 'How TCP services are spoken to.'],
  ['TLSOption', 'Options of encrypted connections.'],
  ['TLSStore', 'Where certificates are kept.'],
  ['TraefikService', 'A weighted or mirrored set of services.'],
];

export const traefikDefinitions: readonly KubeObject[] = [
  routeHttp,
  routeTcp,
  routeUdp,
  ...storedOnly.map(([kind, description]) =>
    definition({ ...traefik, kind, description: `${description} Stored only.`, spec: open(description) }),
  ),
];
