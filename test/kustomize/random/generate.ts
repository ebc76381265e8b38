/** Random bases, overlays and patches: small trees that combine what the cases look at one by one. */

import type { CaseFiles } from '../cases/shared.ts';

/** A small generator of pseudo-random numbers (mulberry32): one seed, one tree. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  some<Item>(items: readonly Item[], probability: number): Item[] {
    return items.filter(() => this.chance(probability));
  }
}

const names = ['web', 'db', 'web-2', 'a.b'];
const scalars = [
  '1',
  '"1"',
  'x',
  "'x y'",
  'true',
  '"true"',
  'yes',
  'null',
  '~',
  '1.5',
  '0x1F',
  '"a: b"',
  '[]',
  '{}',
  '""',
  '2001-01-01',
  '"line\\none"',
  '|-\n    block',
  '1e3',
  'on',
  '"#c"',
];
const labels = ['app: web', 'app: db', 'tier: "1"', 'tier: x', 'env: null'];

function value(random: Random, depth: number): string {
  const kind = random.below(depth > 2 ? 1 : 4);
  if (kind === 1)
    return `{${random
      .some(['a', 'b', 'c'], 0.5)
      .map((key) => `${key}: ${flat(random, depth + 1)}`)
      .join(', ')}}`;
  if (kind === 2)
    return `[${[1, 2]
      .slice(random.below(3))
      .map(() => flat(random, depth + 1))
      .join(', ')}]`;
  return flat(random, depth);
}

function flat(random: Random, depth: number): string {
  const text = random.pick(scalars.filter((scalar) => !scalar.startsWith('|')));
  return depth < 2 && random.chance(0.2) ? value(random, depth + 1) : text;
}

const protocol = (random: Random): string => random.pick(['', '', ', protocol: UDP', ', protocol: TCP']);

function portList(random: Random, key: string): string {
  const item = () =>
    `{${key}: ${random.pick(['53', '53', '54', '"53"'])}${protocol(random)}${random.pick(['', ', name: dns', ', name: web', ', targetPort: 1', ', $patch: delete'])}}`;
  return `[${Array.from({ length: random.below(4) }, item).join(', ')}]`;
}

function container(random: Random): string {
  const parts = [`name: ${random.pick(['main', 'side', 'new'])}`];
  if (random.chance(0.5))
    parts.push(
      `image: ${random.pick(['nginx', 'nginx:1.25', 'r.io:5000/x/nginx@sha256:ab', 'busybox:latest'])}`,
    );
  if (random.chance(0.4)) parts.push(`ports: ${portList(random, 'containerPort')}`);
  if (random.chance(0.3))
    parts.push(
      `env: [{name: A, value: ${random.pick(['"1"', 'x', '2'])}}${random.pick(['', ', {name: B, valueFrom: {configMapKeyRef: {name: conf, key: a}}}'])}]`,
    );
  if (random.chance(0.2)) parts.push(`args: [${random.pick(scalars.slice(0, 5))}]`);
  if (random.chance(0.1)) parts.push(`$patch: ${random.pick(['delete', 'replace', 'merge'])}`);
  return `{${parts.join(', ')}}`;
}

function metadata(random: Random, name: string, namespace: string): string {
  const parts = [`name: ${name}`];
  if (namespace) parts.push(`namespace: ${namespace}`);
  if (random.chance(0.4)) parts.push(`labels: {${random.pick(labels)}}`);
  if (random.chance(0.3)) parts.push(`annotations: {k: ${random.pick(['v', '1', 'null', 'true', '"x y"'])}}`);
  return `metadata: {${parts.join(', ')}}\n`;
}

function body(random: Random, kind: string): string {
  switch (kind) {
    case 'Deployment': {
      const containers = Array.from({ length: 1 + random.below(2) }, () => container(random)).join(', ');
      const volumes = random.chance(0.3)
        ? `, volumes: [{name: v, ${random.pick(['emptyDir: {}', 'configMap: {name: conf}', 'secret: {secretName: sec}'])}}]`
        : '';
      return `spec: {replicas: ${random.pick(['1', '2', '"3"'])}, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [${containers}]${volumes}}}}\n`;
    }
    case 'Service':
      return `spec: {selector: {app: ${random.pick(['web', 'db'])}}, ports: ${portList(random, 'port')}}\n`;
    case 'ConfigMap':
      return `data: {a: ${random.pick(['"1"', 'x', '"a\\nb"'])}, b: ${random.pick(['y', '"true"'])}}\n`;
    default:
      return `spec: {a: ${value(random, 0)}, b: ${value(random, 0)}, c: ${flat(random, 0)}}\n`;
  }
}

const kinds: readonly (readonly [kind: string, apiVersion: string])[] = [
  ['Deployment', 'apps/v1'],
  ['Service', 'v1'],
  ['ConfigMap', 'v1'],
  ['Thing', 'example.com/v1'],
];

interface Id {
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly namespace: string;
}

function randomId(random: Random, name: string): Id {
  const [kind, apiVersion] = random.pick(kinds);
  const namespace = random.chance(0.3) ? random.pick(['ns1', 'ns2', 'default']) : '';
  return { kind, apiVersion, name, namespace };
}

function object(random: Random, { kind, apiVersion, name, namespace }: Id): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\n${metadata(random, name, namespace)}${body(random, kind)}`;
}

/** Objects, which are also noted down, so that patches can mean them. */
function resources(random: Random, known: Id[]): string {
  const ids = names.slice(0, 1 + random.below(4)).map((name) => randomId(random, name));
  known.push(...ids);
  return ids.map((id) => object(random, id)).join('---\n');
}

const indent = (text: string): string => text.trimEnd().replace(/^/gm, '    ');

const jsonPatches = [
  '- {op: add, path: /metadata/labels, value: {j: "1"}}',
  '- {op: add, path: /metadata/labels, value: {app: web}}\n- {op: replace, path: /metadata/labels/app, value: "5"}',
  '- {op: add, path: /spec/j, value: {k: [{l: m}]}}\n- {op: copy, from: /spec/j, path: /spec/n}',
  '- {op: add, path: /metadata/annotations/j, value: "1"}',
  '- {op: replace, path: /metadata/annotations, value: {}}',
  '- {op: replace, path: /metadata/name, value: renamed}',
  '- {op: replace, path: /metadata, value: {name: fresh}}',
  '- {op: remove, path: /metadata/namespace}',
  '- {op: replace, path: /metadata/namespace, value: ns4}',
  '- {op: replace, path: /kind, value: Thing}',
  '- {op: remove, path: /metadata/labels}',
  '- {op: add, path: /spec/j, value: [1, "2", yes]}',
  '- {op: test, path: /metadata/name, value: web}',
];

/** Of a JSON patch: one of the objects, or several, which patchesJson6902 does not take. */
function jsonTarget(random: Random, known: readonly Id[], several: number): string {
  if (random.chance(several))
    return random.pick(['kind: Service', 'name: web', 'kind: "Dep.*"', 'labelSelector: app=web']);
  const { kind, name, namespace } = random.pick(known);
  return `kind: ${kind}, name: ${name}${namespace && random.chance(0.5) ? `, namespace: ${namespace}` : ''}`;
}

const jsonEntry = (random: Random, known: readonly Id[], several = 0.4): string =>
  `- target: {${jsonTarget(random, known, several)}}\n  patch: |-\n${indent(random.pick(jsonPatches))}\n`;

function patchEntry(random: Random, known: readonly Id[]): string {
  const id = random.chance(0.95) ? random.pick(known) : randomId(random, random.pick(names));
  if (random.chance(0.3)) return jsonEntry(random, known);
  const target = random.chance(0.6)
    ? `- target: {${random.pick(['kind: Service', 'kind: Deployment', 'kind: Thing', 'name: "w.*"', 'namespace: ns1'])}}\n  `
    : '- ';
  const options = random.chance(0.1)
    ? `options: {${random.pick(['allowNameChange: true', 'allowKindChange: true'])}}\n  `
    : '';
  return `${target}${options}patch: |-\n${indent(object(random, id))}\n`;
}

const several = (random: Random, most: number, make: () => string): string =>
  Array.from({ length: 1 + random.below(most) }, make).join('');

function kustomization(random: Random, paths: readonly string[], known: readonly Id[]): string {
  const parts = [`resources: [${paths.join(', ')}]\n`];
  const maybe = (probability: number, text: () => string): void => {
    if (random.chance(probability)) parts.push(text());
  };
  maybe(0.25, () => `namespace: ${random.pick(['ns1', 'ns3'])}\n`);
  maybe(0.25, () => `namePrefix: ${random.pick(['p-', 'q-'])}\n`);
  maybe(0.15, () => 'nameSuffix: -s\n');
  maybe(
    0.3,
    () =>
      `labels:\n- pairs: {${random.pick(['app: other', 'l: "1"'])}}\n${random.pick(['', '  includeSelectors: true\n', '  includeTemplates: true\n'])}`,
  );
  maybe(0.1, () => 'commonAnnotations: {c: d}\n');
  maybe(
    0.2,
    () =>
      `images:\n- {name: nginx, ${random.pick(['newTag: "2"', 'newName: y/z', 'digest: "sha256:cd"'])}}\n`,
  );
  const scaled = known.find((id) => id.kind === 'Deployment');
  if (scaled) maybe(0.15, () => `replicas: [{name: ${scaled.name}, count: 7}]\n`);
  const config = known.find((id) => id.kind === 'ConfigMap');
  maybe(0.2, () => {
    if (!config || random.chance(0.5))
      return `configMapGenerator:\n- name: ${random.pick(['conf', 'conf2'])}\n  literals: [a=1]\n`;
    const namespace = config.namespace ? `  namespace: ${config.namespace}\n` : '';
    return `configMapGenerator:\n- name: ${config.name}\n${namespace}  behavior: ${random.pick(['merge', 'replace'])}\n  literals: [a=${random.pick(['1', 'x'])}, z=w]\n`;
  });
  maybe(0.1, () => 'secretGenerator:\n- name: sec\n  literals: [s=1]\n');
  maybe(0.5, () => `patches:\n${several(random, 3, () => patchEntry(random, known))}`);
  maybe(0.2, () => `patchesJson6902:\n${several(random, 3, () => jsonEntry(random, known, 0.02))}`);
  maybe(
    0.1,
    () =>
      `patchesStrategicMerge:\n${several(random, 2, () => `- |-\n${indent(object(random, random.pick(known)))}\n`)}`,
  );
  maybe(0.1, () => 'commonLabels: {common: label}\n');
  if (config)
    maybe(
      0.1,
      () =>
        `replacements:\n- source: {kind: ConfigMap, name: ${config?.name}}\n  targets:\n  - select: {kind: ${random.pick(['Service', 'Deployment'])}}\n    fieldPaths: [${random.pick(['metadata.labels.app', 'metadata.annotations.r', 'spec.selector.app'])}]\n    options: {create: ${random.chance(0.7)}}\n`,
    );
  return parts.join('');
}

/** The tree of a seed: one or two bases, and overlays above them. */
export function randomTree(seed: number): CaseFiles {
  const random = new Random(seed);
  const known: Id[] = [];
  const files: Record<string, string> = {
    'base/app.yaml': resources(random, known),
    'base/kustomization.yaml': kustomization(random, ['app.yaml'], known),
  };
  const paths = ['../base'];
  if (random.chance(0.3)) {
    files['mid/kustomization.yaml'] = kustomization(random, ['../base'], known);
    paths[0] = '../mid';
  }
  if (random.chance(0.2)) {
    files['other/kustomization.yaml'] =
      `namePrefix: o-\n${kustomization(random, ['app.yaml'], known).replace(/^namePrefix:.*\n/m, '')}`;
    files['other/app.yaml'] = resources(random, known);
    paths.push('../other');
  }
  files['over/kustomization.yaml'] = kustomization(random, paths, known);
  if (random.chance(0.2)) {
    const text = kustomization(random, [], known).replace('resources: []\n', '');
    files['part/kustomization.yaml'] =
      `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n${text}`;
    files['over/kustomization.yaml'] += 'components: [../part]\n';
  }
  return files;
}
