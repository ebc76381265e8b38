import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { gatewayTypes } from '../../src/ingress/gateway/objects.ts';
import { readStaticArguments } from '../../src/ingress/index.ts';
import type { Container, KubeObject, PodSpec } from '../../src/kubernetes/index.ts';

const deploy = resolve(import.meta.dirname, '../../deploy');
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

function render(directory: string): KubeObject[] {
  const { stdout, stderr, status } = spawnSync('kubectl', ['kustomize', directory], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject);
}

/** The base with components, as a user's own overlay would have them. */
function renderWith(...components: string[]): KubeObject[] {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-deploy-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = (name: string) => relative(directory, join(deploy, name));
  const kustomization = {
    resources: [path('base')],
    components: components.map((name) => path(`components/${name}`)),
  };
  writeFileSync(join(directory, 'kustomization.yaml'), JSON.stringify(kustomization));
  return render(directory);
}

const find = (objects: readonly KubeObject[], kind: string, name = 'sluice') => {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
};
const podOf = (workload: KubeObject) =>
  (workload as unknown as { spec: { template: { spec: PodSpec } } }).spec.template.spec;
const containerOf = (workload: KubeObject) =>
  podOf(workload).containers[0] as Container & Record<string, never>;

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}
const rights = (objects: readonly KubeObject[], kind = 'ClusterRole') =>
  (find(objects, kind) as unknown as { rules: Rule[] }).rules.flatMap(({ resources, verbs }) =>
    resources.map((resource) => `${resource}: ${verbs.join(' ')}`),
  );

describe.skipIf(!hasKubectl)('what installs sluice on a cluster (needs kubectl)', () => {
  it.each(['base', 'overlays/nodeport', 'overlays/hostport', 'crds'])('%s renders', (name) => {
    expect(render(join(deploy, name)).length).toBeGreaterThan(4);
  });

  it('gives arguments that the ingress takes, and opens the ports of its entry points', () => {
    const container = containerOf(find(render(join(deploy, 'base')), 'Deployment'));
    const configuration = readStaticArguments(
      (container.args ?? []).map((text) => ({ text, position: { file: 'deployment', line: 1, column: 1 } })),
    );
    expect([configuration.diagnostics, configuration.ignored]).toEqual([[], []]);
    const opened = configuration.entryPoints
      .map(({ name, port, protocol }) => `${name} ${port} ${protocol}`)
      .sort();
    const declared = (container.ports ?? [])
      .map(
        ({ name, containerPort, protocol = 'TCP' }) => `${name} ${containerPort} ${protocol.toLowerCase()}`,
      )
      .sort();
    expect(declared).toEqual(opened);
    expect(configuration.ping?.entryPoint).toBe('traefik');
    expect(configuration.prometheus?.entryPoint).toBe('traefik');
  });

  it('leaves time for the lifecycle of its entry points before it is killed', () => {
    const deployment = find(render(join(deploy, 'base')), 'Deployment');
    const configuration = readStaticArguments(
      (containerOf(deployment).args ?? []).map((text) => ({
        text,
        position: { file: 'd', line: 1, column: 1 },
      })),
    );
    const longestMs = Math.max(
      ...configuration.entryPoints.map(
        ({ acceptGraceMs = 0, graceTimeoutMs = 10_000 }) => acceptGraceMs + graceTimeoutMs,
      ),
    );
    expect((podOf(deployment).terminationGracePeriodSeconds ?? 0) * 1000).toBeGreaterThan(longestMs);
  });

  it('runs without root, without writing, and with one capability', () => {
    const deployment = find(render(join(deploy, 'base')), 'Deployment');
    expect(podOf(deployment).securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(containerOf(deployment).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
    });
  });

  it('asks for no more rights than it uses, and for Secrets, nodes and Gateway API only in their components', () => {
    expect(rights(render(join(deploy, 'base')))).toEqual([
      'services: list watch',
      'endpointslices: list watch',
      'ingressrouteudps: list watch',
      'ingressroutetcps: list watch',
      'middlewaretcps: list watch',
      'serverstransporttcps: list watch',
      'tlsoptions: list watch',
      'ingressrouteudps/status: update',
      'ingressroutetcps/status: update',
      'events: get create update',
    ]);
    // Those of its own namespace.
    expect(rights(render(join(deploy, 'base')), 'Role')).toEqual(['leases: get create update']);
    expect(find(render(join(deploy, 'base')), 'RoleBinding')).toMatchObject({
      metadata: { namespace: 'sluice' },
      subjects: [{ kind: 'ServiceAccount', name: 'sluice', namespace: 'sluice' }],
    });
    expect(rights(renderWith('tls'))).toContain('secrets: list watch');
    expect(rights(renderWith('nodeport-lb'))).toContain('nodes: list watch');
    const withGateways = renderWith('gateway-api');
    for (const { plural } of gatewayTypes) expect(rights(withGateways)).toContain(`${plural}: list watch`);
    expect(containerOf(find(withGateways, 'Deployment')).args).toContain('--providers.kubernetesgateway');
    expect(find(renderWith('monitoring'), 'ServiceMonitor')).toBeDefined();
  });

  it("opens the guide's node ports, or the nodes' own", () => {
    const nodePorts = find(render(join(deploy, 'overlays/nodeport')), 'Service') as unknown as {
      spec: { type: string; ports: { nodePort: number; protocol: string }[] };
    };
    expect(nodePorts.spec.type).toBe('NodePort');
    expect(nodePorts.spec.ports.map(({ nodePort, protocol }) => `${nodePort}/${protocol}`)).toEqual([
      '30998/UDP',
      '30999/TCP',
    ]);
    const daemonSet = find(render(join(deploy, 'overlays/hostport')), 'DaemonSet');
    expect(containerOf(daemonSet).ports?.map(({ hostPort }) => hostPort)).toEqual([9998, 9999, undefined]);
  });

  it('has definitions with the fields that routes use, and a status', () => {
    const crd = find(render(join(deploy, 'crds')), 'CustomResourceDefinition', 'ingressrouteudps.traefik.io');
    const text = JSON.stringify(crd);
    for (const field of ['entryPoints', 'nativeLB', 'nodePortLB', 'weight', 'ingressClassName', 'heldBy']) {
      expect(text).toContain(`"${field}"`);
    }
    expect(text).toContain('"subresources":{"status":{}}');
  });

  it('patches Argo CD so that a route that carries nothing is Degraded', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-argocd-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const own =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: argocd-cm, namespace: argocd }\ndata: { url: x }\n';
    writeFileSync(join(directory, 'cm.yaml'), own);
    const kustomization = {
      resources: ['cm.yaml'],
      components: [relative(directory, join(deploy, 'argocd'))],
    };
    writeFileSync(join(directory, 'kustomization.yaml'), JSON.stringify(kustomization));
    const { data } = find(render(directory), 'ConfigMap', 'argocd-cm') as unknown as {
      data: Record<string, string>;
    };
    expect(data.url).toBe('x');
    for (const kind of ['IngressRouteUDP', 'IngressRouteTCP']) {
      expect(data[`resource.customizations.health.traefik.io_${kind}`]).toContain('Degraded');
    }
  });
});

describe('the image', () => {
  it('starts the ingress, as nobody in particular', () => {
    const text = readFileSync(resolve(deploy, '../Dockerfile'), 'utf8');
    expect(text).toMatch(/^USER 65532:65532$/m);
    expect(text).toMatch(/^ENTRYPOINT \["node", "bin\/sluice.js", "ingress"\]$/m);
  });
});
