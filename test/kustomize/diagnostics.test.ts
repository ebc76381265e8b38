import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { kustomizeCodes } from '../../src/diagnostics/codes/kustomize.ts';
import type { Diagnostic } from '../../src/diagnostics/index.ts';
import { FileNotFoundError, memoryFileSystem } from '../../src/files/index.ts';
import { renderKustomization } from '../../src/kustomize/index.ts';
import {
  type CaseFiles,
  configMap,
  custom,
  deployment,
  operations,
  overApp,
  overBase,
  patched,
  podSpec,
  ports,
  printed,
  route,
  service,
} from './cases/shared.ts';
import { renderCase } from './oracle.ts';

const root = resolve(import.meta.dirname, '../../apps/backend/udp-demo');
const guide = Object.fromEntries(
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml') && !name.includes('node_modules'))
    .map((name) => [`/tree/${relative(root, join(root, name))}`, readFileSync(join(root, name), 'utf8')]),
);

/** The guide's development overlay with one text of one file changed. */
function renderGuide(file: string, text: string, changed: string) {
  const path = `/tree/${file}`;
  expect(guide[path]).toContain(text);
  const files = memoryFileSystem({ ...guide, [path]: (guide[path] ?? '').replace(text, changed) });
  return renderKustomization('/tree/overlays/development', files, { workingDirectory: '/tree' });
}

const brief = ({ code, position, hint }: Diagnostic) => ({
  code,
  place: `${position?.file}:${position?.line}`,
  hint,
});

describe("one-word mistakes in the guide's files", () => {
  it.each([
    [
      'a patch target',
      'overlays/development/kustomization.yaml',
      'name: udp-echo-demo',
      'name: udp-echo-dem',
      'SL1101',
      17,
      'Did you mean the name udp-echo-demo?',
    ],
    [
      "a kind's case",
      'overlays/development/kustomization.yaml',
      'kind: IngressRouteUDP',
      'kind: IngressRouteUdp',
      'SL1101',
      22,
      'Did you mean the kind IngressRouteUDP?',
    ],
    [
      'an image name',
      'overlays/development/kustomization.yaml',
      'name: udp-echo-server',
      'name: udp-echo-serve',
      'SL1102',
      26,
      'Did you mean udp-echo-server?',
    ],
    [
      'a container name',
      'overlays/development/patch-resources.yaml',
      'name: proxy',
      'name: prox',
      'SL1106',
      13,
      'Did you mean proxy?',
    ],
    [
      'resource: for resources:',
      'overlays/development/kustomization.yaml',
      'resources:',
      'resource:',
      'SL1003',
      4,
      'Did you mean resources?',
    ],
    [
      'a selector',
      'base/service.yaml',
      'app: udp-echo',
      'app: udp-eco',
      'SL1116',
      15,
      'The pods of Deployment backend/udp-echo-demo have app: udp-echo.',
    ],
    [
      'a route port',
      'base/ingress-route-udp.yaml',
      'port: 4444',
      'port: 4445',
      'SL1117',
      14,
      'Its ports are 4444, udp.',
    ],
    [
      'a route service',
      'base/ingress-route-udp.yaml',
      'name: udp-echo-service',
      'name: udp-echo-servic',
      'SL1111',
      13,
      'Did you mean udp-echo-service?',
    ],
    [
      'an unquoted tag',
      'overlays/development/kustomization.yaml',
      'newTag: "1.0"',
      'newTag: 1.0',
      'SL1004',
      28,
      'Put it in quotes: "1.0".',
    ],
    [
      'a file name',
      'base/kustomization.yaml',
      '- service.yaml',
      '- servic.yaml',
      'SL1001',
      6,
      'Did you mean service.yaml?',
    ],
  ] as const)('%s', (_, file, text, changed, code, line, hint) => {
    const { diagnostics } = renderGuide(file, text, changed);
    const at = diagnostics.map(brief).find((diagnostic) => diagnostic.code === code);
    expect(at).toMatchObject({ code, hint });
    expect(at?.place).toBe(`${file}:${line}`);
  });
});

/** One case for each code, with the line it must name. */
const raised: Readonly<
  Record<Exclude<keyof typeof kustomizeCodes, 'SL1018'>, readonly [files: CaseFiles, place: string]>
> = {
  SL1001: [overApp('patches: [{path: missing.yaml}]\n'), 'kustomization.yaml:2'],
  SL1002: [printed('a: [b\n'), 'object.yaml:2'],
  SL1003: [overApp('images: [{name: a, tag: b}]\n'), 'kustomization.yaml:2'],
  SL1004: [overApp('namePrefix: [a]\n'), 'kustomization.yaml:2'],
  SL1005: [overApp('helmCharts: [{name: x}]\n'), 'kustomization.yaml:2'],
  SL1006: [
    { 'x.yaml': configMap, 'over/kustomization.yaml': 'resources:\n- ../x.yaml\n' },
    'over/kustomization.yaml:2',
  ],
  SL1007: [
    { 'over/kustomization.yaml': 'resources:\n- ../empty\n', 'empty/x.yaml': configMap },
    'over/kustomization.yaml:2',
  ],
  SL1008: [printed('apiVersion: v1\nkind: ConfigMap\n'), 'object.yaml:1'],
  SL1009: [
    overApp('', { 'kustomization.yaml': 'resources: [app.yaml, again.yaml]\n', 'again.yaml': configMap }),
    'again.yaml:1',
  ],
  SL1010: [
    overApp('patches:\n- target: {kind: Service}\n  patch: |-\n    - {op: remove, path: /spec/x}\n'),
    'kustomization.yaml:5',
  ],
  SL1011: [overApp('replicas:\n- {name: wep, count: 2}\n'), 'kustomization.yaml:3'],
  SL1012: [
    printed('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: b\n  a: c\n'),
    'object.yaml:6',
  ],
  SL1101: [
    overApp('patches:\n- path: p.yaml\n  target: {kind: Deploymen}\n', { 'p.yaml': deployment }),
    'kustomization.yaml:4',
  ],
  SL1102: [overApp('images:\n- {name: ngin, newTag: a}\n'), 'kustomization.yaml:3'],
  SL1103: [
    overApp('replacements:\n- source: {kind: ConfigMap}\n  targets:\n  - select: {kind: Other}\n'),
    'kustomization.yaml:5',
  ],
  SL1104: [ports('[{port: 53, protocol: UDP}]', '[{port: 53, targetPort: 5353}]'), 'patch.yaml:4'],
  SL1105: [
    custom('{routes: [{services: [{name: a, weight: 5}]}]}', '{routes: [{services: [{name: a}]}]}'),
    'patch.yaml:4',
  ],
  SL1106: [
    podSpec('{containers: [{name: proxy, image: a}]}', '{containers: [{name: prox, args: [b]}]}'),
    'patch.yaml:4',
  ],
  SL1107: [custom('{a: b}', '{$retainKeys: [a]}'), 'patch.yaml:4'],
  SL1108: [overApp('namePrefix: a-\nnamePrefix: b-\n'), 'kustomization.yaml:3'],
  SL1109: [overApp('nameprefix: a-\n'), 'kustomization.yaml:2'],
  SL1110: [overApp('labels:\n- includeSelectors: true\n  pairs:\n    a: b\n'), 'kustomization.yaml:5'],
  SL1111: [overBase('namePrefix: p-\n'), 'base/app.yaml:69'],
  SL1112: [
    overApp('', {
      'kustomization.yaml':
        'resources: [o.yaml]\npatches:\n- target: {kind: Thing}\n  patch: "[{\\"op\\": \\"add\\", \\"path\\": \\"/a\\", \\"value\\": 1}]"\n',
      'o.yaml': 'apiVersion: x/v1\nkind: Thing\nmetadata: {name: t}\nspec:\n  n: 9007199254740993\n',
    }),
    'o.yaml:5',
  ],
  SL1113: [
    patched(
      service.replace('targetPort: 53', 'targetPort: "53"'),
      'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n  - {port: 53, protocol: UDP, targetPort: 5353}\n',
    ),
    'patch.yaml:6',
  ],
  SL1114: [overApp('bases: []\n'), 'kustomization.yaml:2'],
  SL1115: [overApp('namePrefix: a-\n---\nnamePrefix: b-\n'), 'kustomization.yaml:3'],
  SL1116: [
    overApp('', { 'app.yaml': [deployment, service.replace('{app: web}', '{app: wep}')].join('---\n') }),
    'app.yaml:43',
  ],
  SL1117: [
    overApp('', { 'app.yaml': [service, route.replace('port: 53', 'port: 54')].join('---\n') }),
    'app.yaml:25',
  ],
  SL1118: [
    operations('{replicas: 1}', '- op: replace\n  path: /spec/replica\n  value: 2'),
    'kustomization.yaml:6',
  ],
  SL1119: [operations('{a: 1}', '- op: add\n  path: spec/b\n  value: 2'), 'kustomization.yaml:6'],
};

describe('every diagnostic of kustomizations', () => {
  it.each(Object.entries(raised))('%s names the line of its cause', (code, [files, place]) => {
    const found = renderCase(files).diagnostics.filter((diagnostic) => diagnostic.code === code);
    expect(found.map((diagnostic) => `${diagnostic.position?.file}:${diagnostic.position?.line}`)).toContain(
      place,
    );
  });

  it('of a merge names what to write', () => {
    const [files] = raised.SL1104;
    const hints = renderCase(files).diagnostics.map((diagnostic) => diagnostic.hint);
    expect(hints).toContain(
      'Items are matched by port and protocol. Add protocol: UDP, as at object.yaml:4.',
    );
  });
});

describe('a JSON patch', () => {
  const brief = (spec: string, patch: string) =>
    renderCase(operations(spec, patch)).diagnostics.map(({ code, severity, message, hint, position }) => ({
      place: `${position?.file}:${position?.line}:${position?.column}`,
      text: `${severity} ${code} ${message}`,
      hint,
    }));

  it.each([
    [
      'replaces a misspelt field',
      '{replicas: 1}',
      '{op: replace, path: /spec/replica, value: 2}',
      '27',
      'warning SL1118 replace /spec/replica adds the field: there was nothing to replace',
      'Did you mean /spec/replicas? A field that is to be new is set by add.',
    ],
    [
      'replaces a field that nothing is like',
      '{a: 1, b: 2}',
      '{op: replace, path: /spec/other, value: 2}',
      '27',
      'warning SL1118 replace /spec/other adds the field: there was nothing to replace',
      '/spec has a, b. A field that is to be new is set by add.',
    ],
    [
      'misspells value',
      '{a: 1}',
      '{op: replace, path: /spec/a, valeu: 2}',
      '7',
      'warning SL1119 replace /spec/a has no value and sets null',
      'Is valeu meant to be value?',
    ],
    [
      'has no value',
      '{a: 1}',
      '{op: add, path: /spec/a}',
      '7',
      'warning SL1119 add /spec/a has no value and sets null',
      'Add value:, or remove the field.',
    ],
    [
      'forgets the slash in front',
      '{a: 1}',
      '{op: add, path: spec/a, value: 2}',
      '23',
      'warning SL1119 the path spec/a is taken for /a',
      'Did you mean /spec/a?',
    ],
    [
      'removes a misspelt field',
      '{replicas: 1}',
      '{op: remove, path: /spec/replica}',
      '26',
      'error SL1010 remove /spec/replica does not apply: there is nothing at /spec/replica',
      'Did you mean /spec/replicas?',
    ],
    [
      'adds below a misspelt field',
      '{template: {a: 1}}',
      '{op: add, path: /spec/templte/b/c, value: 1}',
      '23',
      'error SL1010 add /spec/templte/b/c does not apply: there is nothing at /spec/templte',
      'Did you mean /spec/template?',
    ],
    [
      'escapes what the right path needs escaped',
      '{"a/bc~d": {e: 1}}',
      '{op: remove, path: /spec/a~1bc/e}',
      '26',
      'error SL1010 remove /spec/a~1bc/e does not apply: there is nothing at /spec/a~1bc',
      'Did you mean /spec/a~1bc~0d?',
    ],
    [
      'tests a misspelt field',
      '{replicas: 1}',
      '{op: test, path: /spec/replica, value: 1}',
      '24',
      'error SL1010 test /spec/replica does not apply: there is nothing at /spec/replica',
      'Did you mean /spec/replicas?',
    ],
    [
      'names an item of a list',
      '{containers: [{name: one}, {name: web, image: a}]}',
      '{op: replace, path: /spec/containers/web/image, value: b}',
      '27',
      'error SL1010 replace /spec/containers/web/image does not apply: there is nothing at /spec/containers/web',
      'The items of a list are counted from 0: web is /spec/containers/1.',
    ],
    [
      'moves from a misspelt field',
      '{replicas: 1}',
      '{op: move, path: /spec/a, from: /spec/replica}',
      '39',
      'error SL1010 move /spec/a does not apply: there is nothing at /spec/replica',
      'Did you mean /spec/replicas?',
    ],
    [
      'misspells its operation',
      '{a: 1}',
      '{op: repalce, path: /spec/a, value: 2}',
      '12',
      'error SL1010 repalce /spec/a does not apply: repalce is no operation of JSON patch',
      'Did you mean replace?',
    ],
  ])('that %s is told so', (_, spec, operation, column, text, hint) => {
    expect(brief(spec, `- ${operation}`)).toEqual([{ place: `kustomization.yaml:5:${column}`, text, hint }]);
  });

  it('that sets what it means to set is told nothing', () => {
    const patch = [
      '- {op: replace, path: /spec/a, value: 2}',
      '- {op: add, path: /spec/new, value: null}',
      '- {op: replace, path: /spec/new, value: 3}',
      '- {op: test, path: /spec/other, value: null}',
      '- {op: replace, path: /spec/list/0, value: 4}',
      '- {op: remove, path: /spec/a}',
    ].join('\n');
    expect(brief('{a: 1, list: [1]}', patch)).toEqual([]);
  });
});

describe('a word that kustomize passes over', () => {
  const ignored = (kustomization: string) =>
    renderCase(overApp(kustomization))
      .diagnostics.filter(({ code }) => code === 'SL1115')
      .map(({ message, hint, position }) => [`${position?.line}:${position?.column} ${message}`, hint]);
  const patch = "patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}}'";

  it.each([
    [
      'buildMetadata: [originAnnotation]\n',
      '2:17 the build metadata originAnnotation is not known and ignored',
      'Did you mean originAnnotations?',
    ],
    [
      `patches:\n- ${patch}\n  options: {allowNameChanges: true}\n`,
      '4:13 the option allowNameChanges is not known and ignored',
      'Did you mean allowNameChange?',
    ],
    [
      'secretGenerator:\n- name: s\n  behavior: megre\n',
      '4:13 the behavior megre is not known and ignored',
      'Did you mean merge?',
    ],
    [
      'openapi: {file: x.json}\n',
      '2:11 the field file is not known and ignored',
      'kustomize knows path, version.',
    ],
  ])('is told of: %s', (kustomization, place, hint) => {
    expect(ignored(kustomization)).toEqual([[place, hint]]);
  });

  it('is none that it knows', () => {
    const kustomization = `buildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]
patches:
- ${patch}
  options: {allowNameChange: true, allowKindChange: false}
configMapGenerator:
- {name: a, behavior: create}
- {name: settings, behavior: replace}
- {name: settings, behavior: merge}
- {name: b, behavior: ""}
`;
    expect(ignored(kustomization)).toEqual([]);
  });
});

describe('a render that fails', () => {
  it('still names the files it looked at, so that a watcher sees them appear', () => {
    const { objects, filesRead } = renderCase(overApp('patches: [{path: missing.yaml}]\n'));
    expect(objects).toEqual([]);
    expect(filesRead).toEqual(
      expect.arrayContaining(['/case/kustomization.yaml', '/case/app.yaml', '/case/missing.yaml']),
    );
  });

  it('for a directory that does not exist says so', () => {
    const { diagnostics, filesRead } = renderKustomization('/nowhere', memoryFileSystem({}));
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toEqual(['SL1001']);
    expect(filesRead).toEqual(['/nowhere']);
  });

  it('because a file may not be read names the entry that wants it', () => {
    const files = memoryFileSystem({
      '/t/kustomization.yaml': 'resources:\n- secret.yaml\n',
      '/t/secret.yaml': '',
    });
    const forbidden = (path: string): never => {
      throw new FileNotFoundError(path);
    };
    const readText = (path: string) =>
      path.endsWith('secret.yaml') ? forbidden(path) : files.readText(path);
    const { diagnostics } = renderKustomization('/t', { ...files, readText });
    expect(diagnostics[0]).toMatchObject({ code: 'SL1001', message: 'secret.yaml cannot be read' });
    expect(diagnostics[0]?.position?.line).toBe(2);
    const none = renderKustomization('/t', { ...files, readText: forbidden, list: forbidden }).diagnostics;
    expect(none[0]).toMatchObject({ code: 'SL1001', message: 'kustomization.yaml cannot be read' });
  });

  it('because one file is named twice names the second entry', () => {
    const { diagnostics } = renderCase(
      overApp('', { 'kustomization.yaml': 'resources:\n- app.yaml\n- app.yaml\n' }),
    );
    expect(diagnostics[0]).toMatchObject({
      code: 'SL1009',
      position: { file: 'kustomization.yaml', line: 3 },
    });
  });

  it.each([
    ['source', '{kind: ConfigMap, name: setings}', '{kind: Service}'],
    ['target', '{kind: ConfigMap}', '{name: setings, kind: ConfigMap}'],
  ])(
    'or does nothing, for a %s of a replacement that is misspelt, names what there is',
    (_, source, select) => {
      const { diagnostics } = renderCase(
        overApp(`replacements:\n- source: ${source}\n  targets:\n  - select: ${select}\n`),
      );
      expect(diagnostics[0]?.hint).toBe('Did you mean the name settings?');
    },
  );

  it('refuses an address and says what to do instead', () => {
    const { diagnostics } = renderCase({
      'kustomization.yaml': 'resources:\n- https://example.com/a.yaml\n',
    });
    expect(diagnostics[0]).toMatchObject({ code: 'SL1005', position: { line: 2 } });
    expect(diagnostics[0]?.hint).toContain('local files only');
  });
});
