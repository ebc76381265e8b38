import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { Deployment, KubeObject, Service } from '../../src/kubernetes/index.ts';
import { isInstalled } from '../dataplane/tcp/helpers.ts';

const root = new URL('../../', import.meta.url).pathname;
const hasKubectl = isInstalled('kubectl', ['version', '--client']);

function render(demo: string, overlay: string): KubeObject[] {
  const folder = `${root}apps/backend/${demo}/overlays/${overlay}`;
  const text = execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
}

const demos = [
  ['tcp-demo', 'IngressRouteTCP', 'mytcp', 5555, 'TCP', 'iceymoss/tcp-echo:1.0'],
  ['redis-demo', 'IngressRouteTCP', 'redis', 6379, 'TCP', 'redis:7.2'],
  ['dns-demo', 'IngressRouteUDP', 'dns', 53, 'UDP', 'iceymoss/dns-demo:1.0'],
] as const;

describe.skipIf(!hasKubectl)('the demo trees (needs kubectl)', () => {
  it.each(demos)('%s: an %s on %s to port %i/%s of %s', (demo, kind, entryPoint, port, protocol, image) => {
    const objects = render(demo, 'development');
    const of = <Kind extends KubeObject>(wanted: string) =>
      objects.find((object) => object.kind === wanted) as Kind;
    expect(objects.map((object) => object.kind).sort()).toEqual(['Deployment', 'Service', kind].sort());
    const route = of<
      KubeObject & {
        spec: { entryPoints: string[]; routes: { services: { name: string; port: number }[] }[] };
      }
    >(kind);
    const service = of<Service>('Service');
    const deployment = of<Deployment>('Deployment');
    expect(route.spec.entryPoints).toEqual([entryPoint]);
    expect(route.spec.routes[0]?.services).toEqual([{ name: service.metadata.name, port }]);
    expect(service.spec.ports).toMatchObject([{ port, protocol }]);
    expect(service.spec.selector).toEqual(deployment.spec.selector.matchLabels);
    expect(deployment.spec.template.metadata?.labels).toMatchObject(service.spec.selector ?? {});
    const [container] = deployment.spec.template.spec.containers;
    expect(container?.image).toBe(image);
    expect(container?.ports).toMatchObject([
      { containerPort: service.spec.ports?.[0]?.targetPort, protocol },
    ]);
  });

  it.each(demos)('%s: production has pods of QoS class Guaranteed', (demo) => {
    const deployment = render(demo, 'production').find(({ kind }) => kind === 'Deployment') as Deployment;
    const resources = deployment.spec.template.spec.containers[0]?.resources;
    expect(resources?.requests).toEqual(resources?.limits);
    expect(deployment.metadata.labels).toMatchObject({ environment: 'production' });
  });
});

describe('the Applications of the demos', () => {
  it.each(demos)('%s: leads to its development overlay', (demo) => {
    const text = readFileSync(`${root}argocd-bootstrap/apps/${demo}.yaml`, 'utf8');
    expect(parse(text)).toMatchObject({
      metadata: { name: demo, namespace: 'argocd' },
      spec: {
        source: { path: `apps/backend/${demo}/overlays/development` },
        destination: { namespace: 'backend' },
      },
    });
  });
});
