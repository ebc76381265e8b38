/** The Gateway API's classes, gateways and routes, in words of our own. */

import type { KubeObject } from '../../../kubernetes/index.ts';
import { definition } from './definition.ts';
import { conditions, list, map, type Node, object, open, text, whole } from './schema-words.ts';

const group = 'gateway.networking.k8s.io';

/** The API server asks for this of groups under k8s.io. */
const annotations = {
  'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api',
  'gateway.networking.k8s.io/channel': 'experimental',
};

const shared = { group, categories: ['gateway-api'], statusSubresource: true, annotations } as const;

const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' } as const;

const port = (description: string) => whole(description, { format: 'int32', minimum: 1, maximum: 65535 });

const parentRefs: Node = list(
  object({
    group: text("The parent's group.", { default: group }),
    kind: text("The parent's kind.", { default: 'Gateway' }),
    'name!': text("The parent's name."),
    namespace: text("The parent's namespace; the route's own where absent."),
    sectionName: text("One of the parent's listeners."),
    port: port("One of the parent's ports."),
  }),
  'The gateways that the route wants to be attached to.',
);

const backendRefs: Node = list(
  object({
    group: text("The backend's group.", { default: '' }),
    kind: text("The backend's kind.", { default: 'Service' }),
    'name!': text("The backend's name."),
    namespace: text("The backend's namespace; the route's own where absent."),
    port: port("The Service's port."),
    weight: whole('Its share among the backends.', {
      format: 'int32',
      minimum: 0,
      maximum: 1_000_000,
      default: 1,
    }),
  }),
  'Where traffic goes.',
);

const routeStatus: Node = object(
  {
    'parents!': list(
      object({
        'controllerName!': text('Who says so.'),
        'parentRef!': open('The gateway.'),
        conditions,
      }),
      'What each gateway made of the route.',
    ),
  },
  'What became of the route.',
);

function streamRoute(kind: 'TCPRoute' | 'UDPRoute', what: string): KubeObject {
  const rule = object({ name: text("The rule's name."), backendRefs });
  return definition({
    ...shared,
    version: 'v1alpha2',
    kind,
    description: `Sends the ${what} that arrive at a gateway to services.`,
    columns: [age],
    spec: object({ parentRefs, 'rules!': list(rule, 'Where they go.', { minItems: 1, maxItems: 16 }) }),
    status: routeStatus,
  });
}

const httpRoute = definition({
  ...shared,
  version: 'v1',
  kind: 'HTTPRoute',
  description: 'Sends the HTTP requests that arrive at a gateway to services. Stored only.',
  columns: [{ name: 'Hostnames', type: 'string', jsonPath: '.spec.hostnames' }, age],
  spec: object({
    parentRefs,
    hostnames: list(text('A host name.'), 'The hosts that the route is for.'),
    rules: list(open('What is matched, changed and where it goes.'), 'The rules.'),
  }),
  status: routeStatus,
});

const gatewayClass = definition({
  ...shared,
  version: 'v1',
  kind: 'GatewayClass',
  plural: 'gatewayclasses',
  shortNames: ['gc'],
  scope: 'Cluster',
  description: 'A sort of gateways, and who serves them.',
  columns: [
    { name: 'Controller', type: 'string', jsonPath: '.spec.controllerName' },
    { name: 'Accepted', type: 'string', jsonPath: '.status.conditions[?(@.type=="Accepted")].status' },
    age,
    { name: 'Description', type: 'string', jsonPath: '.spec.description', priority: 1 },
  ],
  spec: object({
    'controllerName!': text('Who serves gateways of this class, as example.com/controller.'),
    description: text('For people.'),
    parametersRef: open("The controller's own parameters."),
  }),
  status: object({ conditions, supportedFeatures: list(open('A feature.'), 'What is supported.') }),
});

const listener: Node = object({
  'name!': text("The listener's name."),
  'port!': port('The port that is listened on.'),
  'protocol!': text('The protocol, as UDP.'),
  hostname: text('The host that is listened for.'),
  tls: open('How connections are encrypted.'),
  allowedRoutes: open('Routes that may be attached.'),
});

const gateway = definition({
  ...shared,
  version: 'v1',
  kind: 'Gateway',
  shortNames: ['gtw'],
  description: 'Ports that traffic arrives at.',
  columns: [
    { name: 'Class', type: 'string', jsonPath: '.spec.gatewayClassName' },
    { name: 'Address', type: 'string', jsonPath: '.status.addresses[*].value' },
    { name: 'Programmed', type: 'string', jsonPath: '.status.conditions[?(@.type=="Programmed")].status' },
    age,
  ],
  spec: object({
    'gatewayClassName!': text("The gateway's class."),
    'listeners!': list(listener, 'What is listened on.', {
      minItems: 1,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    }),
    addresses: list(open('An address.'), 'Addresses that are asked for.'),
    infrastructure: object({
      labels: map(text('A value.'), 'Labels of what is made for the gateway.'),
      annotations: map(text('A value.'), 'Annotations of what is made for the gateway.'),
      parametersRef: open("The controller's own parameters."),
    }),
  }),
  status: object({
    addresses: list(open('An address.'), 'Where the gateway is reached.'),
    conditions,
    listeners: list(open('Of one listener.'), 'What became of the listeners.'),
  }),
});

const referenceGrant = definition({
  ...shared,
  statusSubresource: false,
  version: 'v1beta1',
  kind: 'ReferenceGrant',
  shortNames: ['refgrant'],
  description: 'Lets objects of other namespaces refer to objects of this one.',
  columns: [age],
  spec: object({
    'from!': list(
      object({ 'group!': text('A group.'), 'kind!': text('A kind.'), 'namespace!': text('A namespace.') }),
      'Who may refer.',
    ),
    'to!': list(
      object({
        'group!': text('A group.'),
        'kind!': text('A kind.'),
        name: text('One object; all where absent.'),
      }),
      'To what.',
    ),
  }),
});

export const gatewayApiDefinitions: readonly KubeObject[] = [
  gatewayClass,
  gateway,
  httpRoute,
  referenceGrant,
  streamRoute('TCPRoute', 'connections'),
  streamRoute('UDPRoute', 'datagrams'),
];
