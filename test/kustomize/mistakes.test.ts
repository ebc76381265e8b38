import { describe, expect, it } from 'vitest';
import { type CaseFiles, deployment, overBase, route, service } from './cases/shared.ts';
import { renderCase } from './oracle.ts';

/** What is said about a tree, one line for each. */
const said = (files: CaseFiles): string[] =>
  renderCase(files).diagnostics.map(({ code, message, object, hint, position }) => {
    const place = `${position?.file}:${position?.line}:${position?.column}`;
    return `${place} ${code} ${message}${object ? ` (${object})` : ''}${hint ? ` | ${hint}` : ''}`;
  });

const object = (apiVersion: string, kind: string, name: string, rest: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}}\n${rest}`;

/** An overlay with one patch in a file, whose target is everything of its kind where it has one. */
const overPatch = (patch: string, target = ''): CaseFiles =>
  overBase(`patches:\n- path: patch.yaml\n${target && `  target: {kind: ${target}}\n`}`, '', {
    'over/patch.yaml': patch,
  });

const containerPatch = (container: string): CaseFiles =>
  overPatch(
    object(
      'apps/v1',
      'Deployment',
      'any',
      `spec:\n  template:\n    spec:\n      containers:\n      - ${container}\n`,
    ),
    'Deployment',
  );
const portPatch = (port: string): CaseFiles =>
  overPatch(object('v1', 'Service', 'any', `spec:\n  ports:\n  - ${port}\n`), 'Service');
const printedObject = (text: string): CaseFiles => ({
  'kustomization.yaml': 'resources: [o.yaml]\n',
  'o.yaml': text,
});
/** A route over TCP with all that it can name, below a prefix. */
const tcpRoute = (kustomization: string): CaseFiles => ({
  'kustomization.yaml': `resources: [o.yaml]\n${kustomization}`,
  'o.yaml': [
    `apiVersion: traefik.io/v1alpha1
kind: IngressRouteTCP
metadata: {name: r}
spec:
  routes:
  - match: HostSNI(\`*\`)
    middlewares: [{name: allow}]
    services: [{name: elsewhere, port: 1, serversTransport: st}]
  tls:
    secretName: cert
    options: {name: strict}
`,
    object('traefik.io/v1alpha1', 'MiddlewareTCP', 'allow', 'spec: {}\n'),
    object('traefik.io/v1alpha1', 'ServersTransportTCP', 'st', 'spec: {}\n'),
    object('traefik.io/v1alpha1', 'TLSOption', 'strict', 'spec: {}\n'),
    object('v1', 'Secret', 'cert', 'data: {}\n'),
  ].join('---\n'),
});

const renamed = (from: string, to: string, kind: string): string =>
  `SL1111 ${from} is ${to} now, but the route still names the old one (IngressRouteTCP p-r) | kustomize does not know that this field names a ${kind}. Add configurations: with a nameReference for it, or a replacement.`;

describe('a mistake is named once, with its place', () => {
  it.each<[string, CaseFiles, string[]]>([
    [
      'a container that is misspelt, with its image',
      containerPatch('{name: mian, image: "nginx:2"}'),
      [
        'over/patch.yaml:8:9 SL1106 there is no container mian: the patch adds a new one with the image of main (Deployment web) | Did you mean main?',
      ],
    ],
    [
      'a container that is misspelt, without an image',
      containerPatch('{name: maim, args: [x]}'),
      [
        'over/patch.yaml:8:9 SL1106 there is no container maim: the patch adds a new one without an image (Deployment web) | Did you mean main?',
      ],
    ],
    [
      'a port whose number changed, without a name',
      portPatch('{port: 5353, protocol: UDP}'),
      [
        'over/patch.yaml:6:5 SL1106 port 5353 is added beside 80 without a name (Service web) | Ports are matched by port, not by name. Delete the old one with $patch: delete. Of several ports each needs a name.',
      ],
    ],
    [
      'a port whose number changed, with its name',
      portPatch('{port: 5353, protocol: UDP, name: dns}'),
      [
        'over/patch.yaml:6:5 SL1106 port 5353 is added beside 53: two ports are named dns now (Service web) | Ports are matched by port, not by name. Delete the old one with $patch: delete.',
      ],
    ],
    [
      'a port without its protocol, in an object that the patch names otherwise',
      portPatch('{port: 53, targetPort: 5353}'),
      [
        'over/patch.yaml:6:5 SL1104 the item port 53 of ports is dropped (Service web) | Items are matched by port and protocol. Add protocol: UDP, as at base/app.yaml:48.',
      ],
    ],
    [
      'a number in a ConfigMap',
      printedObject(object('v1', 'ConfigMap', 'c', 'data:\n  version: 1.10\n')),
      [
        'o.yaml:5:12 SL1113 version must be a text, but 1.10 is none (ConfigMap c) | Put it in quotes: "1.10".',
      ],
    ],
    [
      'a number in a Secret',
      printedObject(object('v1', 'Secret', 's', 'stringData:\n  pin: 0123\n')),
      ['o.yaml:5:8 SL1113 pin must be a text, but 0123 is none (Secret s) | Put it in quotes: "0123".'],
    ],
    [
      'a number among the arguments',
      printedObject(object('v1', 'Pod', 'p', 'spec: {containers: [{name: a, image: b, args: [-p, 53]}]}\n')),
      ['o.yaml:4:52 SL1113 an item of args must be a text, but 53 is none (Pod p) | Put it in quotes: "53".'],
    ],
    [
      'a prefix that leaves everything a TCP route names behind',
      tcpRoute('namePrefix: p-\n'),
      [
        `o.yaml:8:61 ${renamed('st', 'ServersTransportTCP p-st', 'ServersTransportTCP')}`,
        `o.yaml:7:26 ${renamed('allow', 'MiddlewareTCP p-allow', 'MiddlewareTCP')}`,
        `o.yaml:10:17 ${renamed('cert', 'Secret p-cert', 'Secret')}`,
        `o.yaml:11:21 ${renamed('strict', 'TLSOption p-strict', 'TLSOption')}`,
      ],
    ],
    [
      'a map where the object has a list',
      overPatch(
        object(
          'apps/v1',
          'Deployment',
          'web',
          'spec:\n  template:\n    spec:\n      containers:\n        name: main\n',
        ),
      ),
      [
        'over/patch.yaml:8:9 SL1010 spec.template.spec.containers: the patch gives a map where the object has a list (Deployment web) | Give the field the same kind of value that it has in the object.',
      ],
    ],
    [
      'a var whose value is a map',
      overBase(
        'vars:\n- {name: V, objref: {apiVersion: v1, kind: Service, name: web}, fieldref: {fieldpath: spec.selector}}\n',
      ),
      [
        'over/kustomization.yaml:2:1 SL1114 vars is deprecated | Use replacements instead.',
        'over/kustomization.yaml:3:3 SL1103 spec.selector of the var V is no single value, so nothing is replaced (Service web)',
      ],
    ],
  ])('%s', (_, files, lines) => {
    expect(said(files)).toEqual(lines);
  });
});

describe('nothing is said about', () => {
  it.each<[string, CaseFiles]>([
    [
      'a second container of the same image, with a number',
      containerPatch('{name: main-2, image: "nginx:2"}'),
    ],
    ['a container that is added', containerPatch('{name: exporter, image: "exporter:1"}')],
    ['a port that is added with a name', portPatch('{port: 9090, protocol: TCP, name: metrics}')],
    [
      'a container port that is added',
      containerPatch('{name: main, ports: [{containerPort: 9, protocol: TCP}]}'),
    ],
    [
      'annotations that are numbers, which kustomize writes as texts',
      printedObject('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, annotations: {a: 1, b: true}}\n'),
    ],
    [
      'numbers in a custom resource',
      printedObject(object('example.com/v1', 'Thing', 't', 'data: {a: 1}\nspec: {args: [1, 2]}\n')),
    ],
    ['a TCP route whose names stay', tcpRoute('')],
    [
      'a route that is taught its Service',
      {
        'o.yaml': [deployment, service, route].join('---\n'),
        'c.yaml':
          'nameReference:\n- {kind: Service, fieldSpecs: [{kind: IngressRouteUDP, path: spec/routes/services/name}]}\n',
        'kustomization.yaml': 'resources: [o.yaml]\nnamePrefix: p-\nconfigurations: [c.yaml]\n',
      },
    ],
  ])('%s', (_, files) => {
    expect(said(files)).toEqual([]);
  });
});
