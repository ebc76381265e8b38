/**
 * Random trees over everything that a kustomization can say: many kinds that name one another, written in many styles, below
 * generators, replacements, vars, configurations and kustomize's own transformers. `generate.ts` looks deeper at patches.
 */

import type { CaseFiles } from '../cases/shared.ts';
import { Random } from './generate.ts';

/** A value before it is written: a text is a scalar as it stands in YAML. */
type Tree = string | readonly Tree[] | { readonly [key: string]: Tree } | Literal;

/** A text over several lines, as a block. */
class Literal {
  readonly text: string;
  readonly head: string;

  constructor(text: string, head = '|-') {
    this.text = text;
    this.head = head;
  }
}

type Fields = Record<string, Tree>;

interface Known {
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly namespace: string;
}

/** What one seed has made so far. */
interface World {
  readonly random: Random;
  readonly files: Record<string, string>;
  readonly known: Known[];
  /** Texts such as `$(NAME)`, where vars may be named. */
  readonly variables: string[];
  fileCount: number;
}

const isMap = (tree: Tree): tree is { readonly [key: string]: Tree } =>
  typeof tree === 'object' && !Array.isArray(tree) && !(tree instanceof Literal);

function flow(tree: Tree): string {
  if (typeof tree === 'string') return tree;
  if (tree instanceof Literal) return JSON.stringify(tree.text);
  if (!isMap(tree)) return `[${tree.map(flow).join(', ')}]`;
  return `{${Object.entries(tree)
    .map(([key, value]) => `${key}: ${flow(value)}`)
    .join(', ')}}`;
}

/** Lines of a block, without their indentation. */
function block(tree: Tree, random: Random): string[] {
  if (isMap(tree)) {
    return Object.entries(tree).flatMap(([key, value]) => blockEntry(`${key}:`, value, random, true));
  }
  if (Array.isArray(tree)) return tree.flatMap((item) => blockEntry('-', item, random, false));
  return [flow(tree)];
}

function blockEntry(head: string, value: Tree, random: Random, isKey: boolean): string[] {
  if (value instanceof Literal) {
    return [`${head} ${value.head}`, ...value.text.split('\n').map((line) => (line ? `  ${line}` : ''))];
  }
  const isEmpty = typeof value === 'object' && Object.keys(value).length === 0;
  if (typeof value === 'string' || isEmpty || random.chance(0.15)) return [`${head} ${flow(value)}`];
  const lines = block(value, random);
  if (!isKey) return lines.map((line, index) => (index === 0 ? `- ${line}` : line && `  ${line}`));
  const isIndentless = Array.isArray(value) && random.chance(0.6);
  return [head, ...lines.map((line) => (line && !isIndentless ? `  ${line}` : line))];
}

const written = (tree: Tree, random: Random): string => `${block(tree, random).join('\n')}\n`;

/** With a probability, fields that go into a map. */
function maybe(random: Random, probability: number, make: () => Fields): Fields {
  return random.chance(probability) ? make() : {};
}

const names = ['web', 'db', 'conf', 'keys'];
const namespaces = ['ns1', 'ns2', 'default'];
const name = (random: Random): string => random.pick(names);

const texts = [
  'x',
  '"1"',
  "'true'",
  '"a b"',
  'a.b/c',
  '"yes"',
  'y',
  '"null"',
  '"0x10"',
  '""',
  '"# no"',
  '"über"',
  '"a: b"',
  '"1e3"',
  '"2001-01-01"',
  "'it''s'",
  '"tab\\there"',
];
const scalars = [
  ...texts,
  '1',
  '0',
  '-5',
  'true',
  '1.5',
  '1.0',
  '0644',
  '0o17',
  '1_000',
  'null',
  '~',
  '12:30',
  '1e3',
  '.5',
  '2001-01-01',
];

const text = (random: Random): string => random.pick(texts);
/** Kustomization files are YAML 1.1, where y is true. */
const quoted = (written: string): string => (written === 'y' ? '"y"' : written);
const scalar = (random: Random): string => random.pick(scalars);

function long(random: Random): Tree {
  const words = Array.from({ length: 1 + random.below(30) }, () =>
    random.pick([
      'word',
      'a',
      'longer-word',
      'x=y',
      '--flag',
      'http://a.b/c?d=e',
      '$(REF)',
      '#',
      '-',
      "it's",
    ]),
  );
  switch (random.below(4)) {
    case 0:
      return new Literal(words.join('\n'), random.pick(['|', '|-', '|+', '>', '>-']));
    case 1:
      return new Literal(`${words.join(' ')}\n\n  ${words.join(' ')}\nend`, random.pick(['|', '|-']));
    default:
      return JSON.stringify(words.join(' '));
  }
}

const reference = (world: World): string =>
  world.random.chance(0.5)
    ? '"$(REF)"'
    : world.random.pick(['"$(REF)-x$(OTHER)"', '"$$(REF)"', '"$(NONE)"', '"$(REF"']);

function environment(world: World): Tree {
  const { random } = world;
  const value = (): Fields => {
    switch (random.below(5)) {
      case 0:
        return { valueFrom: { configMapKeyRef: { name: name(random), key: 'a' } } };
      case 1:
        return {
          valueFrom: {
            secretKeyRef: {
              name: name(random),
              key: 'a',
              ...maybe(random, 0.3, () => ({ optional: 'true' })),
            },
          },
        };
      case 2:
        return { value: reference(world) };
      case 3:
        return { value: long(random) };
      default:
        return { value: text(random) };
    }
  };
  return random.some(['A', 'B', 'C'], 0.6).map((key) => ({ name: key, ...value() }));
}

const images = [
  'nginx',
  'nginx:1.25',
  'r.io:5000/x/nginx@sha256:ab',
  'busybox:latest',
  'nginx:1@sha256:cd',
  '"quay.io/a/b:v1"',
  'ghcr.io/a/b',
];

function ports(random: Random, key: string): Tree {
  const numbers = random.some(['53', '80', '"80"', '443'], 0.4);
  return numbers.map((number) => ({
    ...maybe(random, 0.5, () => ({ name: random.pick(['dns', 'http', 'x']) })),
    [key]: number,
    ...maybe(random, 0.6, () => ({ protocol: random.pick(['UDP', 'TCP']) })),
    ...maybe(random, key === 'port' ? 0.5 : 0, () => ({ targetPort: random.pick(['80', 'http', '"80"']) })),
  }));
}

function containers(world: World, most = 2): Tree {
  const { random } = world;
  return random
    .some(['main', 'side', 'log'], 0.55)
    .slice(0, most)
    .map((container) => ({
      name: container,
      ...maybe(random, 0.85, () => ({ image: random.pick(images) })),
      ...maybe(random, 0.3, () => ({ args: [text(random), reference(world)] })),
      ...maybe(random, 0.2, () => ({ command: ['sh', '-c', long(random)].slice(0, 2 + random.below(2)) })),
      ...maybe(random, 0.4, () => ({ env: environment(world) })),
      ...maybe(random, 0.2, () => ({
        envFrom: [{ [random.pick(['configMapRef', 'secretRef'])]: { name: name(random) } }],
      })),
      ...maybe(random, 0.4, () => ({ ports: ports(random, 'containerPort') })),
      ...maybe(random, 0.2, () => ({
        volumeMounts: [{ name: 'v', mountPath: random.pick(['/data', '/etc/x']) }],
      })),
      ...maybe(random, 0.2, () => ({
        resources: { limits: { cpu: random.pick(['1', '100m', '"2"', '0.5']), memory: '64Mi' } },
      })),
    }));
}

function volumes(random: Random): Tree {
  const one = (): Fields => {
    switch (random.below(5)) {
      case 0:
        return { configMap: { name: name(random), ...maybe(random, 0.3, () => ({ defaultMode: '0644' })) } };
      case 1:
        return { secret: { secretName: name(random) } };
      case 2:
        return { persistentVolumeClaim: { claimName: name(random) } };
      case 3:
        return {
          projected: { sources: [{ configMap: { name: name(random) } }, { secret: { name: name(random) } }] },
        };
      default:
        return { emptyDir: {} };
    }
  };
  return random.some(['v', 'w'], 0.7).map((volume) => ({ name: volume, ...one() }));
}

function podSpec(world: World): Fields {
  const { random } = world;
  return {
    containers: containers(world),
    ...maybe(random, 0.2, () => ({ initContainers: containers(world, 1) })),
    ...maybe(random, 0.4, () => ({ volumes: volumes(random) })),
    ...maybe(random, 0.3, () => ({ serviceAccountName: name(random) })),
    ...maybe(random, 0.1, () => ({ imagePullSecrets: [{ name: name(random) }] })),
    ...maybe(random, 0.1, () => ({ hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] })),
    ...maybe(random, 0.1, () => ({ tolerations: [{ key: 'a', operator: 'Exists' }] })),
    ...maybe(random, 0.1, () => ({ nodeSelector: { disk: 'ssd' } })),
    ...maybe(random, 0.1, () => ({
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'h' },
          ],
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: '1', podAffinityTerm: { labelSelector: { matchLabels: {} }, topologyKey: 'h' } },
          ],
        },
      },
    })),
    ...maybe(random, 0.1, () => ({
      topologySpreadConstraints: [
        {
          maxSkew: '1',
          topologyKey: 'z',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    })),
  };
}

const template = (world: World): Fields => ({
  ...maybe(world.random, 0.8, () => ({
    metadata: {
      labels: { app: name(world.random) },
      ...maybe(world.random, 0.2, () => ({ annotations: { t: text(world.random) } })),
    },
  })),
  spec: podSpec(world),
});

const workload = (world: World): Fields => ({
  ...maybe(world.random, 0.7, () => ({ replicas: world.random.pick(['1', '2', '"3"', '0']) })),
  ...maybe(world.random, 0.8, () => ({ selector: { matchLabels: { app: name(world.random) } } })),
  template: template(world),
});

const serviceBackend = (random: Random): Fields => ({
  service: { name: name(random), port: { number: '80' } },
});

type Maker = (world: World) => Fields;

const kinds: Readonly<Record<string, readonly [apiVersion: string, make: Maker]>> = {
  Deployment: ['apps/v1', (world) => ({ spec: workload(world) })],
  StatefulSet: [
    'apps/v1',
    (world) => ({
      spec: {
        ...workload(world),
        ...maybe(world.random, 0.7, () => ({ serviceName: name(world.random) })),
        ...maybe(world.random, 0.4, () => ({
          volumeClaimTemplates: [
            {
              metadata: { name: 'data', ...maybe(world.random, 0.3, () => ({ labels: { a: 'b' } })) },
              spec: { storageClassName: name(world.random) },
            },
          ],
        })),
      },
    }),
  ],
  DaemonSet: ['apps/v1', (world) => ({ spec: workload(world) })],
  CronJob: [
    'batch/v1',
    (world) => ({
      spec: { schedule: '"*/5 * * * *"', jobTemplate: { spec: { template: template(world) } } },
    }),
  ],
  Job: ['batch/v1', (world) => ({ spec: { template: template(world) } })],
  Pod: ['v1', (world) => ({ spec: podSpec(world) })],
  Service: [
    'v1',
    (world) => ({
      spec: {
        ...maybe(world.random, 0.8, () => ({ selector: { app: name(world.random) } })),
        ports: ports(world.random, 'port'),
        ...maybe(world.random, 0.1, () => ({ type: 'ExternalName', externalName: reference(world) })),
      },
    }),
  ],
  ConfigMap: [
    'v1',
    ({ random }) => ({
      data: {
        a: text(random),
        ...maybe(random, 0.5, () => ({ b: long(random) })),
        ...maybe(random, 0.3, () => ({ 'c.json': '"{\\"a\\": [1, 2]}"' })),
        ...maybe(random, 0.3, () => ({ host: 'a.b.c:80/x' })),
      },
    }),
  ],
  Secret: [
    'v1',
    ({ random }) => ({
      ...maybe(random, 0.5, () => ({ type: 'Opaque' })),
      ...maybe(random, 0.5, () => ({ stringData: { a: text(random) } })),
      data: { b: 'YQ==' },
    }),
  ],
  ServiceAccount: [
    'v1',
    ({ random }) => ({
      ...maybe(random, 0.4, () => ({ secrets: [{ name: name(random) }] })),
      ...maybe(random, 0.4, () => ({ imagePullSecrets: [{ name: name(random) }] })),
    }),
  ],
  Role: [
    'rbac.authorization.k8s.io/v1',
    ({ random }) => ({
      rules: [
        {
          apiGroups: ['""'],
          resources: [random.pick(['configmaps', 'secrets', 'pods'])],
          resourceNames: [name(random), name(random)],
          verbs: ['get'],
        },
      ],
    }),
  ],
  RoleBinding: [
    'rbac.authorization.k8s.io/v1',
    ({ random }) => binding(random, random.pick(['Role', 'ClusterRole'])),
  ],
  ClusterRole: ['rbac.authorization.k8s.io/v1', () => ({ rules: [] })],
  ClusterRoleBinding: ['rbac.authorization.k8s.io/v1', ({ random }) => binding(random, 'ClusterRole')],
  Ingress: [
    'networking.k8s.io/v1',
    ({ random }) => ({
      spec: {
        rules: [
          {
            host: 'a.example.com',
            http: { paths: [{ path: '/', pathType: 'Prefix', backend: serviceBackend(random) }] },
          },
        ],
        ...maybe(random, 0.3, () => ({ defaultBackend: serviceBackend(random) })),
        ...maybe(random, 0.4, () => ({ tls: [{ hosts: ['a.example.com'], secretName: name(random) }] })),
      },
    }),
  ],
  HorizontalPodAutoscaler: [
    'autoscaling/v2',
    ({ random }) => ({
      spec: {
        scaleTargetRef: {
          apiVersion: 'apps/v1',
          kind: random.pick(['Deployment', 'StatefulSet']),
          name: name(random),
        },
        maxReplicas: '3',
      },
    }),
  ],
  PodDisruptionBudget: [
    'policy/v1',
    ({ random }) => ({ spec: { selector: { matchLabels: { app: name(random) } } } }),
  ],
  NetworkPolicy: [
    'networking.k8s.io/v1',
    ({ random }) => ({
      spec: {
        podSelector: random.pick<Tree>([{}, { matchLabels: { app: 'web' } }]),
        ingress: [{ from: [{ podSelector: { matchLabels: { app: 'db' } } }, { namespaceSelector: {} }] }],
      },
    }),
  ],
  PersistentVolumeClaim: [
    'v1',
    ({ random }) => ({ spec: { storageClassName: name(random), volumeName: name(random) } }),
  ],
  PersistentVolume: [
    'v1',
    ({ random }) => ({ spec: { storageClassName: name(random), claimRef: { name: name(random) } } }),
  ],
  StorageClass: ['storage.k8s.io/v1', () => ({ provisioner: 'x' })],
  Namespace: ['v1', () => ({})],
  IngressRouteUDP: [
    'traefik.io/v1alpha1',
    ({ random }) => ({
      spec: {
        entryPoints: ['dns'],
        routes: [{ services: [{ name: name(random), port: random.pick(['53', 'dns']) }] }],
      },
    }),
  ],
  Thing: [
    'example.com/v1',
    (world) => ({
      spec: {
        ...maybe(world.random, 0.5, () => ({ configRef: { name: name(world.random) } })),
        ...maybe(world.random, 0.4, () => ({ items: [{ id: '1', v: scalar(world.random) }, { id: '2' }] })),
        ...maybe(world.random, 0.3, () => ({ image: world.random.pick(images) })),
        ...maybe(world.random, 0.3, () => ({
          template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: podSpec(world) },
        })),
        ...maybe(world.random, 0.3, () => ({ replicas: '1' })),
        ...maybe(world.random, 0.3, () => ({ note: long(world.random) })),
        v: scalar(world.random),
      },
    }),
  ],
};

function binding(random: Random, role: string): Fields {
  const subject = (): Fields => ({
    kind: random.pick(['ServiceAccount', 'User']),
    name: random.pick([...names, 'default']),
    ...maybe(random, 0.5, () => ({ namespace: random.pick(namespaces) })),
  });
  return {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role, name: name(random) },
    subjects: [subject(), subject()],
  };
}

const clusterWide = ['ClusterRole', 'ClusterRoleBinding', 'PersistentVolume', 'StorageClass', 'Namespace'];

function metadata(random: Random, { name: own, namespace }: Known): Fields {
  return {
    name: own,
    ...(namespace && { namespace }),
    ...maybe(random, 0.3, () => ({
      labels: { [random.pick(['app', 'tier'])]: random.pick(['web', '"1"', 'db']) },
    })),
    ...maybe(random, 0.25, () => ({
      annotations: random.pick<Tree>([
        { k: text(random) },
        { k: scalar(random) },
        { k: '"$(REF)"', z: long(random) },
      ]),
    })),
  };
}

function newId(random: Random, taken: readonly Known[]): Known | undefined {
  const kind = random.pick(Object.keys(kinds));
  const isWide = clusterWide.includes(kind);
  const id = {
    kind,
    apiVersion: kinds[kind]?.[0] ?? '',
    name: name(random),
    namespace: !isWide && random.chance(0.15) ? random.pick(namespaces) : '',
  };
  return taken.some((other) => other.kind === kind && other.name === id.name) ? undefined : id;
}

const object = (world: World, id: Known): Fields => ({
  apiVersion: id.apiVersion,
  kind: id.kind,
  metadata: metadata(world.random, id),
  ...kinds[id.kind]?.[1](world),
});

const newPath = (world: World, directory: string, extension: string): string =>
  `${directory}/f${world.fileCount++}.${extension}`;

/** A file with objects: documents, a list, or JSON; returns its name. */
function resourceFile(world: World, directory: string, count: number): string {
  const { random } = world;
  const ids: Known[] = [];
  for (let tries = 0; ids.length < count && tries < 20; tries++) {
    const id = newId(random, [...world.known, ...ids]);
    if (id) ids.push(id);
  }
  const objects = ids.map((id) => object(world, id));
  world.known.push(...ids);
  const path = newPath(world, directory, random.pick(['yaml', 'yaml', 'yml', 'json']));
  world.files[path] = resourceText(objects, path, random);
  return path.slice(directory.length + 1);
}

function resourceText(objects: readonly Fields[], path: string, random: Random): string {
  if (random.chance(0.1)) {
    const kind = random.pick(['List', 'ConfigMapList', 'List']);
    return written({ apiVersion: 'v1', kind, items: objects }, random);
  }
  const documents = objects.map((item) =>
    path.endsWith('json') && random.chance(0.5) ? `${flow(item)}\n` : written(item, random),
  );
  let joined = documents.join(random.pick(['---\n', '--- # next\n', '---\n# comment\n', '---\n---\n']));
  if (random.chance(0.1)) joined = `# head\n---\n${joined}`;
  if (random.chance(0.1)) joined = `${joined}---\n`;
  if (random.chance(0.05)) joined = joined.replaceAll('\n', '\r\n');
  if (random.chance(0.1)) joined = joined.replace(/^metadata:$/m, 'metadata: # here');
  return joined;
}

const plainId = ({ kind, name: own, namespace }: Known): Fields => ({
  kind,
  name: own,
  ...(namespace && { namespace }),
});

function target(world: World): Fields {
  const { random } = world;
  const id = random.pick(world.known);
  switch (random.below(8)) {
    case 0:
      return { kind: id.kind };
    case 1:
      return {
        name: random.pick(['"w.*"', 'web|db', '".*b$"', 'web']),
        kind: '"Deployment|StatefulSet|Service"',
      };
    case 2:
      return {
        labelSelector: random.pick(['app=web', '"app in (web, db)"', '"!tier"', 'tier']),
        kind: id.kind,
      };
    case 3:
      return { group: random.pick(['apps', '"apps|batch"']), version: 'v1' };
    case 4:
      return { annotationSelector: random.pick(['k=x', 'k', 'q=r']) };
    default:
      return plainId(id);
  }
}

const operations: readonly Fields[][] = [
  [{ op: 'add', path: '/metadata/labels', value: { j: '"1"' } }],
  [{ op: 'add', path: '/metadata/annotations', value: { j: '"on"', m: '"12"' } }],
  [{ op: 'test', path: '/kind', value: 'Service' }],
  [{ op: 'add', path: '/spec/x', value: ['1', '"1"', '1.50', 'yes', '0o17', '{a: null}'] }],
  [{ op: 'replace', path: '/metadata/name', value: 'renamed' }],
  [{ op: 'add', path: '/spec/template/spec/nodeSelector', value: { a: 'b' } }],
  [
    { op: 'add', path: '/spec/y', value: { z: '1234567890123456789' } },
    { op: 'copy', from: '/spec/y', path: '/spec/w' },
    { op: 'remove', path: '/spec/y' },
  ],
  [{ op: 'add', path: '/metadata/annotations/k', value: '"2"' }],
  [{ op: 'add', path: '/spec/template/spec/containers/0/args', value: ['"$(REF)"'] }],
  [{ op: 'replace', path: '/spec/replicas', value: '4' }],
];

const withPods = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'];

/** Mostly one that the objects of the kind can take. */
const jsonPatchText = (world: World, kind = ''): string => {
  const fits = operations.filter((list) => {
    const paths = list.map(({ path }) => (typeof path === 'string' ? path : ''));
    if (list.some(({ op }) => op === 'test')) return kind === 'Service';
    if (paths.some((path) => path.startsWith('/spec/template'))) return withPods.includes(kind);
    if (paths.includes('/spec/replicas')) return kind === 'Deployment';
    if (paths.includes('/metadata/annotations/k')) return false;
    return (
      !paths.some((path) => path.startsWith('/spec')) ||
      [...withPods, 'Service', 'Thing', 'Ingress', 'Pod'].includes(kind)
    );
  });
  const list = world.random.pick(world.random.chance(0.9) && fits.length > 0 ? fits : operations);
  return world.random.chance(0.3) ? JSON.stringify(parsed(list)) : written(list, world.random).trimEnd();
};

/** Scalars that JSON can write, for the patches that are JSON. */
function parsed(tree: Tree): unknown {
  if (tree instanceof Literal) return tree.text;
  if (typeof tree === 'string') {
    if (/^".*"$/.test(tree)) return JSON.parse(tree);
    return /^[0-9]+$/.test(tree) ? Number(tree) : tree;
  }
  if (isMap(tree))
    return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, parsed(value)]));
  return tree.map(parsed);
}

function mergeText(world: World, id: Known): string {
  const { random } = world;
  if (random.chance(0.06)) {
    return written(
      {
        apiVersion: id.apiVersion,
        kind: id.kind,
        metadata: { name: id.name, ...(id.namespace && { namespace: id.namespace }) },
        $patch: random.pick(['delete', 'replace', 'merge']),
      },
      random,
    );
  }
  return written(object(world, id), random);
}

function filePath(world: World, directory: string, content: string): string {
  const path = newPath(world, directory, 'yaml');
  world.files[path] = content;
  return path.slice(directory.length + 1);
}

function fileOrInline(world: World, directory: string, content: string): Fields {
  if (world.random.chance(0.4)) return { path: filePath(world, directory, content) };
  return { patch: new Literal(content.trimEnd(), world.random.pick(['|-', '|'])) };
}

function patch(world: World, directory: string): Fields {
  const { random } = world;
  const id = random.pick(world.known);
  if (random.chance(0.35))
    return {
      target: random.chance(0.3) ? { kind: id.kind } : plainId(id),
      ...fileOrInline(world, directory, jsonPatchText(world, id.kind)),
    };
  return {
    ...maybe(random, 0.4, () => ({ target: random.chance(0.6) ? plainId(id) : target(world) })),
    ...fileOrInline(world, directory, mergeText(world, id)),
    ...maybe(random, 0.05, () => ({
      options: { [random.pick(['allowNameChange', 'allowKindChange'])]: 'true' },
    })),
  };
}

function merges(world: World, directory: string): Tree {
  const { random } = world;
  const content = Array.from({ length: 1 + random.below(2) }, () =>
    mergeText(world, random.pick(world.known)),
  ).join('---\n');
  return [random.chance(0.5) ? filePath(world, directory, content) : new Literal(content.trimEnd())];
}

const generatorOptions = (random: Random): Fields => ({
  ...maybe(random, 0.4, () => ({ labels: { g: '"1"' } })),
  ...maybe(random, 0.4, () => ({ annotations: { m: quoted(text(random)) } })),
  ...maybe(random, 0.3, () => ({ disableNameSuffixHash: 'true' })),
  ...maybe(random, 0.2, () => ({ immutable: 'true' })),
});

function generated(world: World, directory: string, kind: 'ConfigMap' | 'Secret', mayMerge: boolean): Fields {
  const { random } = world;
  const merged = mayMerge ? random.pick(world.known.filter((id) => id.kind === kind)) : undefined;
  const id: Known = merged ?? {
    kind,
    apiVersion: 'v1',
    name: random.pick([...names, 'extra', 'gen']),
    namespace: random.chance(0.1) ? 'ns1' : '',
  };
  const isTaken = !merged && world.known.some((other) => other.kind === kind && other.name === id.name);
  if (!merged && !isTaken) world.known.push(id);
  const behavior =
    merged || isTaken ? random.pick(['merge', 'replace', 'merge']) : random.pick(['', '', 'create']);
  const literals = random.some(
    ['a=1', 'b="x y"', "c='q'", 'd=x=y', 'e=', 'host=h:1', `f=${'long '.repeat(20)}end`, 'g=true'],
    0.3,
  );
  return {
    name: id.name,
    ...(id.namespace && { namespace: id.namespace }),
    ...(behavior && { behavior }),
    ...(literals.length > 0 && { literals: literals.map((literal) => `'${literal.replaceAll("'", "''")}'`) }),
    ...maybe(random, 0.3, () => {
      const path = filePath(
        world,
        directory,
        random.pick([
          'k=v\n',
          'plain text',
          '{"a": 1}\n',
          'trailing \nblank\n',
          'tab\there\n',
          '',
          'ünï\n\n',
          '\u{1F680}\n',
        ]),
      );
      return { files: [random.pick([path, `key.txt=${path}`, `./${path}`])] };
    }),
    ...maybe(random, 0.2, () => ({
      envs: [
        filePath(
          world,
          directory,
          random.pick(['E1=v\n# no\n\nE2="q"\n', 'E1=a b \n  E2=c\n', 'E3=\nE4=x=y']),
        ),
      ],
    })),
    ...(kind === 'Secret' && maybe(random, 0.3, () => ({ type: 'kubernetes.io/tls' }))),
    ...maybe(random, 0.25, () => ({ options: generatorOptions(random) })),
  };
}

const sourcePaths = [
  'metadata.name',
  'metadata.namespace',
  'data.a',
  'data.host',
  'metadata.labels.app',
  'spec.replicas',
  'spec.v',
  'kind',
  'spec.template.spec.containers.0.image',
  '"spec.template.spec.containers.[name=main].image"',
  '"spec.items.[id=1].v"',
  'spec.ports.0.port',
];
/** What objects of a kind surely, or nearly surely, have. */
const fieldsToRead: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['metadata.name', 'spec.template.spec.containers', 'spec', 'spec.template.spec'],
  ConfigMap: ['metadata.name', 'data.a', 'data', 'kind'],
  Secret: ['metadata.name', 'data.b'],
  Thing: ['spec.v', 'metadata.name', 'spec'],
  Service: ['metadata.name', 'spec.ports', 'spec'],
  CronJob: ['metadata.name', 'spec.schedule'],
  Ingress: ['metadata.name', 'spec.rules.0.host', 'spec.rules.*.host', 'spec.rules.0.http.paths.0.path'],
};
const targetPaths = [
  'metadata.annotations.r',
  '"metadata.annotations.[example.com/r]"',
  'metadata.labels.app',
  'metadata.name',
  'metadata.namespace',
  'spec.selector.app',
  '"spec.items.[id=1].v"',
  'spec.new.deep',
  'data.a',
  'spec.replicas',
  'spec.template.metadata.labels.app',
];

const podPaths = [
  '"spec.template.spec.containers.*.image"',
  '"spec.template.spec.containers.[name=main].env.[name=A].value"',
  '"spec.template.spec.containers.[name=main|side].image"',
  'spec.template.spec.containers.0.args.0',
  '"spec.template.spec.containers.*.env.*.value"',
  'spec.template.spec.volumes',
];

function fieldOptions(random: Random, isTarget: boolean): Fields {
  return {
    ...maybe(random, isTarget ? 0.7 : 0, () => ({ create: 'true' })),
    ...maybe(random, isTarget ? 0.15 : 0.2, () => ({
      delimiter: random.pick(['"."', "':'", '"/"', '"-"']),
      index: random.pick(isTarget ? ['0', '1', '-1'] : ['0']),
    })),
  };
}

function replacement(world: World): Fields {
  const { random } = world;
  const source = random.pick(world.known);
  const fields = random.chance(0.95) ? (fieldsToRead[source.kind] ?? ['metadata.name', 'kind']) : sourcePaths;
  const targets = Array.from({ length: 1 + random.below(2) }, () => {
    const id = random.pick(world.known);
    const paths = withPods.includes(id.kind)
      ? [...targetPaths, ...podPaths]
      : id.kind === 'Service'
        ? [...targetPaths, '"spec.ports.*.port"']
        : targetPaths;
    return {
      select: random.pick<Tree>([
        plainId(id),
        plainId(id),
        { kind: id.kind },
        { name: id.name, kind: id.kind },
        random.chance(0.2) ? { name: id.name } : { kind: id.kind },
      ]),
      ...maybe(random, 0.2, () => ({ reject: [{ name: name(random) }] })),
      ...maybe(random, 0.9, () => ({ fieldPaths: [random.pick(paths), ...random.some(paths, 0.03)] })),
      options: fieldOptions(random, true),
    };
  });
  return {
    source: {
      ...plainId(source),
      ...maybe(random, 0.8, () => ({ fieldPath: random.pick(fields) })),
      options: fieldOptions(random, false),
    },
    targets,
  };
}

function configuration(world: World): Fields {
  const { random } = world;
  return {
    ...maybe(random, 0.7, () => ({
      nameReference: [
        {
          kind: random.pick(['Service', 'ConfigMap', 'Secret']),
          ...maybe(random, 0.5, () => ({ version: 'v1' })),
          fieldSpecs: [
            { kind: 'IngressRouteUDP', path: 'spec/routes/services/name' },
            { kind: 'Thing', path: random.pick(['spec/configRef/name', 'spec/configRef']) },
          ],
        },
      ],
    })),
    ...maybe(random, 0.3, () => ({ namePrefix: [{ path: 'spec/v', kind: 'Thing' }] })),
    ...maybe(random, 0.3, () => ({
      commonLabels: [{ path: 'spec/labels', kind: 'Thing', create: random.pick(['true', 'false']) }],
    })),
    ...maybe(random, 0.3, () => ({
      commonAnnotations: [{ path: 'spec/notes', create: 'true', kind: 'Thing' }],
    })),
    ...maybe(random, 0.3, () => ({ images: [{ path: 'spec/image', kind: 'Thing' }] })),
    ...maybe(random, 0.3, () => ({ replicas: [{ path: 'spec/replicas', kind: 'Thing', create: 'true' }] })),
    ...maybe(random, 0.3, () => ({
      namespace: [{ path: 'spec/configRef/namespace', kind: 'Thing', create: 'true' }],
    })),
    ...maybe(random, 0.4, () => ({
      varReference: [{ path: 'spec/v', kind: 'Thing' }, { path: 'data/a' }, { path: 'metadata/annotations' }],
    })),
    ...maybe(random, 0.2, () => ({ templateLabels: [{ path: 'spec/t', kind: 'Thing', create: 'true' }] })),
    ...maybe(random, 0.2, () => ({ labels: [{ path: 'spec/l', kind: 'Thing', create: 'true' }] })),
  };
}

function plugin(world: World): Fields {
  const { random } = world;
  const named = (kind: string, rest: Fields, more: Fields = {}): Fields => ({
    apiVersion: 'builtin',
    kind,
    metadata: { name: random.pick(['t1', 't2', 't3', 't4', 't5']), ...more },
    ...rest,
  });
  const nameSpecs = { fieldSpecs: [{ path: 'metadata/name' }] };
  switch (random.below(10)) {
    case 0:
      return named('PrefixTransformer', { prefix: 't-', ...nameSpecs });
    case 1:
      return named('SuffixTransformer', { suffix: '-t', ...nameSpecs });
    case 2:
      return named('LabelTransformer', {
        labels: { t: '"1"' },
        fieldSpecs: [
          { path: 'metadata/labels', create: 'true' },
          { path: 'spec/selector', kind: 'Service', version: 'v1' },
        ],
      });
    case 3:
      return named('AnnotationsTransformer', {
        annotations: { t: quoted(text(random)) },
        fieldSpecs: [{ path: 'metadata/annotations', create: 'true' }],
      });
    case 4:
      return named(
        'NamespaceTransformer',
        {
          fieldSpecs: random.pick<Tree>([
            [],
            [{ path: 'metadata/namespace', create: 'true' }],
            [{ path: 'metadata/name', kind: 'Namespace' }],
          ]),
        },
        { namespace: 'ns5' },
      );
    case 5:
      return named('ImageTagTransformer', {
        imageTag: { name: 'nginx', newTag: '"9"' },
        fieldSpecs: random.pick<Tree>([
          [],
          [{ path: 'spec/image' }],
          [{ path: '"spec/template/spec/containers[]/image"' }],
        ]),
      });
    case 6:
      return named('ReplicaCountTransformer', {
        replica: { name: random.pick(world.known).name, count: '9' },
        fieldSpecs: [
          {
            path: 'spec/replicas',
            create: 'true',
            kind: random.pick(['Deployment', 'StatefulSet', 'Thing']),
          },
        ],
      });
    case 7:
      return named('PatchTransformer', { patch: new Literal(jsonPatchText(world)), target: target(world) });
    case 8:
      return named('PatchTransformer', {
        patch: new Literal(mergeText(world, random.pick(world.known)).trimEnd()),
        ...maybe(random, 0.3, () => ({ target: target(world) })),
      });
    default:
      return named('ReplacementTransformer', { replacements: [replacement(world)] });
  }
}

/** Inline, in a file, or in a directory with a kustomization of its own. */
function pluginEntry(world: World, directory: string, configured: Fields): Tree {
  const { random } = world;
  const content = written(configured, random);
  if (random.chance(0.5)) return new Literal(content.trimEnd(), random.pick(['|', '|-']));
  return filePath(world, directory, content);
}

const openApi = (): string =>
  JSON.stringify({
    definitions: {
      'com.example.Thing': {
        properties: {
          spec: {
            properties: {
              items: {
                type: 'array',
                'x-kubernetes-patch-merge-key': 'id',
                'x-kubernetes-patch-strategy': 'merge',
                items: { type: 'object' },
              },
            },
          },
        },
        'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'Thing' }],
      },
    },
  });

const crd = (): string =>
  JSON.stringify({
    'example.com/v1.Thing': {
      Schema: {
        properties: {
          apiVersion: { type: 'string' },
          kind: { type: 'string' },
          metadata: {},
          spec: { $ref: 'example.com/v1.ThingSpec' },
        },
      },
    },
    'example.com/v1.ThingSpec': {
      Schema: {
        properties: {
          configRef: {
            'x-kubernetes-object-ref-api-version': 'v1',
            'x-kubernetes-object-ref-kind': 'ConfigMap',
          },
          labels: { 'x-kubernetes-label-selector': '' },
          notes: { 'x-kubernetes-annotation': '' },
        },
      },
    },
  });

function labels(random: Random): Fields {
  return {
    pairs: random.pick<Tree>([{ app: 'other' }, { l: '"1"' }, { l: 'm', app: '"true"' }]),
    ...maybe(random, 0.25, () => ({ includeSelectors: 'true' })),
    ...maybe(random, 0.25, () => ({ includeTemplates: 'true' })),
    ...maybe(random, 0.2, () => ({
      fields: [
        {
          path: random.pick(['spec/mine', 'spec/selector', 'spec/template/metadata/labels']),
          kind: random.pick(['Thing', 'Service', 'Deployment']),
          create: random.pick(['true', 'false']),
        },
      ],
    })),
  };
}

const image = (random: Random): Fields => ({
  name: random.pick(['nginx', 'busybox', 'r.io:5000/x/nginx', 'quay.io/a/b', 'ghcr.io/.*', 'new/nginx']),
  ...maybe(random, 0.4, () => ({ newName: random.pick(['new/nginx', 'reg:5000/y']) })),
  ...maybe(random, 0.5, () => ({ newTag: random.pick(['"2"', 'v1.2', '"1.0"']) })),
  ...maybe(random, 0.2, () => ({ digest: 'sha256:ef' })),
  ...maybe(random, 0.1, () => ({ tagSuffix: '-x' })),
});

function several<Item>(random: Random, most: number, make: () => Item): Item[] {
  return Array.from({ length: 1 + random.below(most) }, make);
}

const scaled = ['Deployment', 'StatefulSet'];

function kustomization(world: World, directory: string, paths: readonly string[], level: number): Fields {
  const { random, known } = world;
  const of = (...wanted: string[]): Known[] => known.filter(({ kind }) => wanted.includes(kind));
  const add = (probability: number, make: () => Fields): Fields => maybe(random, probability, make);
  const workloads = of(...scaled);
  const variableOf = random.pick(known);
  const fields: Fields = {
    ...(paths.length > 0 && { [random.chance(0.9) ? 'resources' : 'bases']: paths }),
    ...add(0.12, () => ({
      configMapGenerator: several(random, 2, () =>
        generated(
          world,
          directory,
          'ConfigMap',
          level > 0 && of('ConfigMap').length > 0 && random.chance(0.4),
        ),
      ),
    })),
    ...add(0.12, () => ({
      secretGenerator: [
        generated(world, directory, 'Secret', level > 0 && of('Secret').length > 0 && random.chance(0.4)),
      ],
    })),
    ...add(0.1, () => ({ generatorOptions: generatorOptions(random) })),
    ...add(0.2, () => ({ namespace: random.pick(['ns1', 'ns3']) })),
    ...add(0.2, () => ({ namePrefix: random.pick(['p-', 'q-', '"1-"']) })),
    ...add(0.15, () => ({ nameSuffix: '-s' })),
    ...add(0.2, () => ({ labels: several(random, 2, () => labels(random)) })),
    ...add(0.05, () => ({ commonLabels: { common: quoted(text(random)) } })),
    ...add(0.1, () => ({ commonAnnotations: { c: quoted(text(random)), k: 'z' } })),
    ...add(0.2, () => ({ images: several(random, 3, () => image(random)) })),
    ...(workloads.length > 0 &&
      add(0.12, () => ({ replicas: [{ name: random.pick(workloads).name, count: '7' }] }))),
    ...add(0.35, () => ({ patches: several(random, 3, () => patch(world, directory)) })),
    ...add(0.06, () => ({ patchesStrategicMerge: merges(world, directory) })),
    ...add(0.06, () => ({
      patchesJson6902: [
        {
          target: plainId(variableOf),
          ...fileOrInline(world, directory, jsonPatchText(world, variableOf.kind)),
        },
      ],
    })),
    ...add(0.25, () => ({
      replacements: several(random, 2, () =>
        random.chance(0.2)
          ? {
              path: filePath(
                world,
                directory,
                written(random.chance(0.5) ? [replacement(world)] : replacement(world), random),
              ),
            }
          : replacement(world),
      ),
    })),
    ...add(0.15, () => ({
      configurations: [filePath(world, directory, written(configuration(world), random))],
    })),
    ...add(0.04, () => ({ crds: [filePath(world, directory, crd())] })),
    ...add(0.04, () => ({ openapi: { path: filePath(world, directory, openApi()) } })),
    ...add(0.12, () => ({
      transformers: several(random, 2, () => pluginEntry(world, directory, plugin(world))),
    })),
    ...add(0.05, () => ({
      generators: [
        pluginEntry(world, directory, {
          apiVersion: 'builtin',
          kind: random.pick(['ConfigMapGenerator', 'SecretGenerator']),
          metadata: { name: random.pick(['gen1', 'conf']) },
          literals: ['a=b'],
          ...maybe(random, 0.3, () => ({ options: generatorOptions(random) })),
        }),
      ],
    })),
    ...add(0.006, () => ({ validators: [pluginEntry(world, directory, plugin(world))] })),
    ...add(level === 2 ? 0.12 : 0.05, () => ({
      vars: [
        {
          name: level === 0 ? 'OTHER' : 'REF',
          objref: { apiVersion: variableOf.apiVersion, ...plainId(variableOf) },
          ...maybe(random, 0.5, () => ({
            fieldref: {
              fieldpath: random.pick(
                fieldsToRead[variableOf.kind]?.filter((path) => !/\*|spec$|data$/.test(path)) ?? [
                  'metadata.name',
                  'kind',
                ],
              ),
            },
          })),
        },
      ],
    })),
    ...add(level === 2 ? 0.15 : 0.03, () => ({
      buildMetadata: random.some(['originAnnotations', 'transformerAnnotations', 'managedByLabel'], 0.5),
    })),
    ...add(level === 2 ? 0.15 : 0.03, () => ({
      sortOptions: random.pick<Tree>([
        { order: 'fifo' },
        { order: 'legacy' },
        {
          order: 'legacy',
          legacySortOptions: { orderFirst: ['Namespace', 'Thing', 'Service'], orderLast: ['Deployment'] },
        },
      ]),
    })),
  };
  const shuffled = Object.entries(fields).sort(() => random.next() - 0.5);
  return Object.fromEntries(shuffled);
}

/** The tree of a seed: a base or two, perhaps a layer between, an overlay and a component. */
export function featureTree(seed: number): CaseFiles {
  const random = new Random(seed);
  const world: World = { random, files: {}, known: [], variables: [], fileCount: 0 };
  const write = (directory: string, paths: readonly string[], level: number, head: Fields = {}): void => {
    const fields = { ...head, ...kustomization(world, directory, paths, level) };
    const file = random.pick([
      'kustomization.yaml',
      'kustomization.yaml',
      'kustomization.yml',
      'Kustomization',
    ]);
    world.files[`${directory}/${directory === 'over' ? 'kustomization.yaml' : file}`] = written(
      fields,
      random,
    );
  };
  write(
    'base',
    several(random, 2, () => resourceFile(world, 'base', 1 + random.below(4))),
    0,
  );
  const paths = ['../base'];
  if (random.chance(0.25)) {
    write('mid', [...paths, ...(random.chance(0.4) ? [resourceFile(world, 'mid', 1)] : [])], 1);
    paths[0] = '../mid';
  }
  if (random.chance(0.2)) {
    write('other', [resourceFile(world, 'other', 2)], 0);
    paths.push('../other/');
  }
  if (random.chance(0.15)) paths.push(resourceFile(world, 'over', 1));
  if (random.chance(0.2)) {
    write('part', random.chance(0.3) ? [resourceFile(world, 'part', 1)] : [], 1, {
      apiVersion: 'kustomize.config.k8s.io/v1alpha1',
      kind: 'Component',
    });
  }
  write(
    'over',
    paths,
    2,
    'part/kustomization.yaml' in world.files ||
      Object.keys(world.files).some((path) => path.startsWith('part/'))
      ? { components: ['../part'] }
      : {},
  );
  return world.files;
}
