import { describe, expect, it } from 'vitest';
import { readTraefikChart } from '../../../src/ingress/index.ts';
import { readLocatedYaml } from '../../../src/yaml/index.ts';

const position = { file: 'traefik-app.yaml', line: 1, column: 1 };

function chart(version: string, values: string) {
  const document = readLocatedYaml(values, 'values.yaml').documents[0];
  return readTraefikChart({
    version,
    releaseName: 'traefik-ingress',
    namespace: 'traefik',
    values: document,
    position,
  });
}

const guideValues = `
fullnameOverride: "traefik"
additionalArguments:
  - "--entrypoints.myudp.address=:9998/udp"
service:
  type: NodePort
ports:
  myudp: { port: 9998, expose: true, exposedPort: 9998, protocol: UDP, nodePort: 30998 }
`;

describe('readTraefikChart', () => {
  it("makes the Service and the arguments of the guide's values", () => {
    const { service, arguments: words, diagnostics } = chart('26.0.0', guideValues);
    expect(diagnostics).toEqual([]);
    expect(service?.metadata).toMatchObject({ name: 'traefik', namespace: 'traefik' });
    expect(service?.spec.type).toBe('NodePort');
    expect(service?.spec.ports).toContainEqual({
      name: 'myudp',
      port: 9998,
      targetPort: 'myudp',
      protocol: 'UDP',
      nodePort: 30998,
    });
    expect(words.map(({ text }) => text)).toEqual([
      '--entryPoints.traefik.address=:9000/tcp',
      '--entryPoints.web.address=:8000/tcp',
      '--entryPoints.websecure.address=:8443/tcp',
      '--entryPoints.myudp.address=:9998/udp',
      '--api.dashboard=true',
      '--ping=true',
      '--metrics.prometheus=true',
      '--providers.kubernetescrd',
      '--entrypoints.myudp.address=:9998/udp',
    ]);
  });

  it('makes the Deployment, whose pods the Service selects, with the Traefik version of the chart', () => {
    const { deployment, service, arguments: words } = chart('26.0.0', guideValues);
    const { template, selector, replicas } = deployment.spec;
    expect(deployment.metadata).toMatchObject({ name: 'traefik', namespace: 'traefik' });
    expect(replicas).toBe(1);
    expect(template.metadata?.labels).toMatchObject(service?.spec.selector ?? { none: '' });
    expect(selector.matchLabels).toEqual(service?.spec.selector);
    const [container] = template.spec.containers;
    expect(container?.image).toBe('docker.io/traefik:v2.10.6');
    expect(container?.args).toEqual(words.map(({ text }) => text));
    expect(container?.ports).toContainEqual({ name: 'myudp', containerPort: 9998, protocol: 'UDP' });
    expect(chart('35.1.0', '{}').deployment.spec.template.spec.containers[0]?.image).toMatch(/:v3\.3\.1$/);
  });

  it('exposes web and websecure and not the dashboard, as the chart does', () => {
    const names = chart('26.0.0', guideValues).service?.spec.ports?.map(({ name }) => name);
    expect(names).toEqual(['web', 'websecure', 'myudp']);
  });

  it('says that expose: true breaks from chart 27 on', () => {
    const { diagnostics, service } = chart('27.0.0', guideValues);
    expect(diagnostics[0]).toMatchObject({ code: 'SL2005', severity: 'error', position: { line: 8 } });
    expect(service?.spec.ports?.map(({ name }) => name)).toEqual(['web', 'websecure']);
  });

  it('takes the map form of expose from chart 27 on', () => {
    const values = guideValues.replace('expose: true', 'expose: { default: true }');
    const { diagnostics, service } = chart('39.0.0', values);
    expect(diagnostics).toEqual([]);
    expect(service?.spec.ports?.map(({ name }) => name)).toContain('myudp');
  });

  it('says that service.type does nothing from chart 40 on', () => {
    const values = guideValues.replace('expose: true', 'expose: { default: true }');
    const { diagnostics, service } = chart('40.0.0', values);
    expect(diagnostics[0]).toMatchObject({ code: 'SL2005', severity: 'warning', position: { line: 6 } });
    expect(service?.spec.type).toBe('LoadBalancer');
  });

  it('takes service.spec.type from chart 40 on', () => {
    const values = 'service: { spec: { type: NodePort } }\n';
    expect(chart('41.3.0', values).service?.spec.type).toBe('NodePort');
  });

  it('says that a protocol in small letters puts the port into no Service', () => {
    const { diagnostics } = chart('26.0.0', guideValues.replace('protocol: UDP', 'protocol: udp'));
    expect(diagnostics[0]).toMatchObject({ code: 'SL2005', severity: 'error' });
  });

  it('says what has the wrong type, and where', () => {
    const { diagnostics } = chart('26.0.0', 'ports:\n  myudp:\n    port: "9998"\n');
    expect(diagnostics[0]).toMatchObject({
      code: 'SL2005',
      position: { file: 'values.yaml', line: 3, column: 11 },
    });
  });

  it('cuts a port name to the 15 letters Kubernetes allows, and leaves the entry point name whole', () => {
    const { service, arguments: words } = chart(
      '26.0.0',
      'ports: { MyVeryLongUdpEntry: { port: 1, protocol: UDP } }\n',
    );
    expect(service?.spec.ports?.at(-1)?.name).toBe('myverylongudpen');
    expect(words.map(({ text }) => text)).toContain('--entryPoints.MyVeryLongUdpEntry.address=:1/udp');
  });

  it("names the Service by Helm's rule when there is no override", () => {
    expect(chart('26.0.0', '{}').service?.metadata.name).toBe('traefik-ingress');
  });

  it('removes a port that is set to null', () => {
    const names = chart('26.0.0', 'ports: { web: null }').service?.spec.ports?.map(({ name }) => name);
    expect(names).toEqual(['websecure']);
  });
});
