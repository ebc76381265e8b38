import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/diagnostics/index.ts';
import { memoryFileSystem } from '../../src/files/index.ts';
import type { Service } from '../../src/kubernetes/index.ts';
import { renderKustomization } from '../../src/kustomize/index.ts';
import { makePlan } from '../../src/laptop/plan.ts';

const demoApplication = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: demo
spec:
  source:
    repoURL: https://git.example.com/tree.git
    path: apps/demo
  destination:
    namespace: backend
  syncPolicy:
    syncOptions: [CreateNamespace=true]
`;

const traefikApplication = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: traefik
spec:
  source:
    repoURL: https://traefik.github.io/charts
    chart: traefik
    targetRevision: 26.0.0
    helm:
      values: |
        additionalArguments:
          - --entrypoints.myudp.address=:9998/udp
        service:
          type: NodePort
        ports:
          myudp:
            port: 9998
            expose: true
            protocol: UDP
            nodePort: 30998
  destination:
    namespace: traefik
`;

const service = (name: string, nodePort?: number) => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  type: NodePort
  ports:
    - port: 4444
      protocol: UDP
${nodePort === undefined ? '' : `      nodePort: ${nodePort}\n`}`;

const guideTree = {
  '/tree/argocd-bootstrap/apps/demo.yaml': demoApplication,
  '/tree/argocd-bootstrap/ingress-controller/traefik.yaml': traefikApplication,
  '/tree/apps/demo/kustomization.yaml': 'resources: [service.yaml]\n',
  '/tree/apps/demo/service.yaml': service('echo'),
  '/tree/sluice.yaml': 'images:\n  demo:\n    command: [node, demo.js]\n',
};

function planOf(files: Record<string, string>, ...paths: string[]) {
  const wanted = paths.length > 0 ? paths : ['/tree'];
  return makePlan({
    paths: wanted,
    files: memoryFileSystem(files),
    workingDirectory: '/tree',
    render: renderKustomization,
  });
}

const short = ({ code, position, message }: Diagnostic) =>
  `${position ? `${position.file}:${position.line}:${position.column} ` : ''}${code} ${message}`;

describe('the plan of a tree', () => {
  it('holds the objects of every Application, its namespaces first and its objects in their namespace', () => {
    const { objects, diagnostics } = planOf(guideTree);
    expect(diagnostics).toEqual([]);
    expect(
      objects.map(
        ({ object }) => `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`,
      ),
    ).toEqual([
      'Namespace /traefik',
      'Namespace /backend',
      'Deployment traefik/traefik',
      'Service traefik/traefik',
      'Service backend/echo',
    ]);
  });

  it('holds the entry points and the Service of the Traefik chart, and what runs for each image', () => {
    const { entryPoints, ingressService, images } = planOf(guideTree);
    expect(entryPoints.filter(({ protocol }) => protocol === 'udp')).toMatchObject([
      { name: 'myudp', port: 9998 },
    ]);
    expect(ingressService).toBe('traefik/traefik');
    expect(images).toEqual({ demo: { command: ['node', 'demo.js'], workingDir: '/tree' } });
  });

  it('finds each value of the chart Service where it was written', () => {
    const planned = planOf(guideTree).objects.find(
      ({ object }) => object.metadata.name === 'traefik' && object.kind === 'Service',
    );
    const ports = (planned?.object as Service | undefined)?.spec.ports ?? [];
    const index = ports.findIndex(({ name }) => name === 'myudp');
    expect(planned?.locate(['spec', 'ports', index, 'nodePort'])).toMatchObject({
      file: 'argocd-bootstrap/ingress-controller/traefik.yaml',
      line: 21,
    });
  });

  it('brings up one kustomization directory alone, with the entry points of the tree around it', () => {
    const { objects, entryPoints, root } = planOf(guideTree, '/tree/apps/demo');
    expect(root).toBe('/tree');
    expect(objects.map(({ object }) => object.metadata.name)).toContain('echo');
    expect(entryPoints.map(({ name }) => name)).toContain('myudp');
  });

  it('names every file it depends on', () => {
    expect([...planOf(guideTree).filesRead].sort()).toEqual(Object.keys(guideTree).sort());
  });

  it('says that a directory does not exist (SL1001)', () => {
    expect(planOf(guideTree, '/tree/nowhere').diagnostics.map(short)).toEqual([
      'SL1001 no such directory: nowhere',
    ]);
  });

  it('says that a file is not a directory (SL1001)', () => {
    expect(planOf(guideTree, '/tree/sluice.yaml').diagnostics.map(short)).toEqual([
      'SL1001 sluice.yaml is a file, not a directory',
    ]);
  });

  it('says that a directory holds nothing to bring up (SL2007)', () => {
    const { diagnostics } = planOf({ '/tree/readme.md': 'hello' });
    expect(diagnostics.map(short)).toEqual([
      'SL2007 . holds neither argocd-bootstrap/ nor a kustomization.yaml',
    ]);
  });

  it('names the line of a source path that is not in the tree (SL2003)', () => {
    const files = {
      ...guideTree,
      '/tree/argocd-bootstrap/apps/demo.yaml': demoApplication.replace('apps/demo', 'apps/dmeo'),
    };
    expect(planOf(files).diagnostics.map(short)).toEqual([
      'argocd-bootstrap/apps/demo.yaml:8:11 SL2003 Application demo: there is no directory apps/dmeo in this tree',
    ]);
  });

  it('refuses a source path that leads out of the tree (SL2003)', () => {
    const files = {
      ...guideTree,
      '/tree/argocd-bootstrap/apps/demo.yaml': demoApplication.replace('apps/demo', '../other'),
      '/other/kustomization.yaml': '',
    };
    expect(planOf(files).diagnostics.map(({ code }) => code)).toEqual(['SL2003']);
  });

  it('leaves out a chart it does not know, and says so (SL2004)', () => {
    const files = {
      ...guideTree,
      '/tree/argocd-bootstrap/ingress-controller/traefik.yaml': traefikApplication.replace(
        'chart: traefik',
        'chart: nginx',
      ),
    };
    const { diagnostics, objects } = planOf(files);
    expect(diagnostics).toMatchObject([{ code: 'SL2004', severity: 'warning' }]);
    expect(objects.map(({ object }) => object.metadata.name)).toContain('echo');
  });

  it('names the line of a field of sluice.yaml that is not known, and the nearest one (SL2006)', () => {
    const { diagnostics } = planOf({
      ...guideTree,
      '/tree/sluice.yaml': 'images:\n  demo:\n    comand: [node]\n    command: [node]\n',
    });
    expect(diagnostics).toMatchObject([
      { code: 'SL2006', position: { file: 'sluice.yaml', line: 3 }, hint: 'Did you mean `command`?' },
    ]);
  });

  it('names the line of a command that is no list (SL2006)', () => {
    const { diagnostics } = planOf({
      ...guideTree,
      '/tree/sluice.yaml': 'images:\n  demo:\n    command: node demo.js\n',
    });
    expect(diagnostics.map(short)).toEqual([
      'sluice.yaml:3:14 SL2006 images.demo.command: expected Array, found "node demo.js"',
    ]);
  });

  it('warns of an optional program that is not here, says how to install it, and leaves out what runs it (SL2009)', () => {
    const settings = `images:
  demo:
    command: [demo-server]
    optional: true
    install: apt-get install demo
`;
    const { diagnostics, images } = makePlan({
      paths: ['/tree'],
      files: memoryFileSystem({ ...guideTree, '/tree/sluice.yaml': settings }),
      workingDirectory: '/tree',
      render: renderKustomization,
      hasProgram: () => false,
    });
    expect(diagnostics).toMatchObject([
      {
        code: 'SL2009',
        severity: 'warning',
        position: { file: 'sluice.yaml', line: 3 },
        hint: 'Install it: `apt-get install demo`.',
      },
    ]);
    expect(images.demo?.command).toEqual(['demo-server']);
  });

  it('names both places of an object that two Applications declare (SL2008)', () => {
    const files = {
      ...guideTree,
      '/tree/argocd-bootstrap/apps/again.yaml': demoApplication.replace('name: demo', 'name: again'),
    };
    expect(planOf(files).diagnostics).toMatchObject([{ code: 'SL2008', object: 'Service backend/echo' }]);
  });

  it('names both places of a node port that two Services ask for (SL4002)', () => {
    const files = { ...guideTree, '/tree/apps/demo/service.yaml': service('echo', 30998) };
    expect(planOf(files).diagnostics.map(short)).toEqual([
      'apps/demo/service.yaml:10:17 SL4002 node port 30998/UDP is already given to Service traefik/traefik at argocd-bootstrap/ingress-controller/traefik.yaml:21',
    ]);
  });

  it('lets TCP and UDP share a node port number within one Service, and not across two', () => {
    const both = `${service('echo', 30053)}    - port: 4444
      name: tcp
      protocol: TCP
      nodePort: 30053
`.replace('- port: 4444\n      protocol: UDP', '- port: 4444\n      name: udp\n      protocol: UDP');
    expect(planOf({ ...guideTree, '/tree/apps/demo/service.yaml': both }).diagnostics).toEqual([]);
    const across = service('echo', 30998).replace('UDP', 'TCP');
    const { diagnostics } = planOf({ ...guideTree, '/tree/apps/demo/service.yaml': across });
    expect(diagnostics.map(({ code }) => code)).toEqual(['SL4002']);
  });
});
