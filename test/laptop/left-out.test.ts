import { describe, expect, it } from 'vitest';
import type { Deployment, Service } from '../../src/kubernetes/index.ts';
import type { LaptopStatus } from '../../src/laptop/index.ts';
import { leftOutBy, statusOfTheRest } from '../../src/laptop/left-out.ts';

const deployment = (name: string, image: string): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'backend' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
  },
});

const service = (name: string, app: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'backend' },
  spec: { ports: [{ port: 53, protocol: 'UDP' }], selector: { app } },
});

const path = (serviceName: string) => ({
  route: `backend/${serviceName}`,
  entryPoint: 'dns',
  nodePort: 30053,
  services: [`backend/${serviceName}`],
  servicePorts: [53],
  readyPods: 0,
  totalPods: 1,
  hops: [],
});

const missing = [{ image: 'dns', program: 'dnsmasq', install: undefined }];
const objects = [
  deployment('dns', 'dns:1.0'),
  service('dns', 'dns'),
  deployment('echo', 'echo:1.0'),
  service('echo', 'echo'),
];

describe('what is left out with a missing program', () => {
  it('is each Deployment that runs its image, whatever the tag, and each Service with no other pods', () => {
    expect(leftOutBy(missing, objects)).toEqual({
      deployments: ['backend/dns'],
      services: ['backend/dns'],
      entryPoints: [],
    });
  });

  it('is no Service that has other pods too', () => {
    const shared = { ...service('both', 'x'), spec: { ports: [], selector: { tier: 'net' } } };
    const labelled = objects.map((object) =>
      object.kind === 'Deployment'
        ? {
            ...object,
            spec: {
              ...object.spec,
              template: {
                ...object.spec.template,
                metadata: { labels: { ...object.spec.template.metadata?.labels, tier: 'net' } },
              },
            },
          }
        : object,
    );
    expect(leftOutBy(missing, [...labelled, shared]).services).toEqual(['backend/dns']);
  });

  it('is nothing where nothing is missing', () => {
    expect(leftOutBy([], objects)).toEqual({ deployments: [], services: [], entryPoints: [] });
  });

  it('is not waited for, not counted as blocked and not probed', () => {
    const status: LaptopStatus = {
      deployments: ['backend/dns', 'backend/echo'].map((name) => ({
        name,
        readyReplicas: 0,
        wantedReplicas: 1,
        isRolledOut: false,
      })),
      blocked: [
        { pod: 'backend/dns-abc-1', reason: 'ImagePullBackOff' },
        { pod: 'backend/echo-abc-1', reason: 'CrashLoopBackOff' },
      ],
      paths: [path('dns'), path('echo')],
    };
    const rest = statusOfTheRest(status, leftOutBy(missing, objects));
    expect(rest.deployments.map(({ name }) => name)).toEqual(['backend/echo']);
    expect(rest.blocked.map(({ pod }) => pod)).toEqual(['backend/echo-abc-1']);
    expect(rest.paths.map(({ route }) => route)).toEqual(['backend/echo']);
  });
});
