import type { Service, ServicePort } from '../../../kubernetes/index.ts';
import type { FieldErrors } from './field-errors.ts';
import type { KindRules } from './kind-rules.ts';
import { checkLabels, checkPortName, checkPortNumber, dns1035Name, labelName } from './names.ts';
import { protocols, setDefaults } from './pod-spec.ts';

type Fields = Record<string, unknown>;

const clientIpTimeoutSeconds = 10_800;
const serviceTypes = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const affinities = ['ClientIP', 'None'];

export const wantsClusterIp = ({ spec }: Service) =>
  spec.type !== 'ExternalName' && spec.clusterIP !== 'None';
export const mayHaveNodePorts = ({ spec }: Service) =>
  spec.type === 'NodePort' || spec.type === 'LoadBalancer';
/** A load balancer may be told to do without (`allocateLoadBalancerNodePorts: false`). */
export const needsNodePorts = ({ spec }: Service) =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);

/** SetDefaults_Service of the API server (pkg/apis/core/v1/defaults.go) and the address families of one IPv4 cluster. */
export const serviceRules: KindRules<Service> = {
  nameRule: dns1035Name,
  applyDefaults(service) {
    service.spec ??= {};
    const { spec } = service;
    setDefaults(spec, { type: 'ClusterIP', sessionAffinity: 'None' });
    if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
    if (spec.sessionAffinity === 'ClientIP') {
      setDefaults(spec, { sessionAffinityConfig: { clientIP: { timeoutSeconds: clientIpTimeoutSeconds } } });
    }
    for (const port of spec.ports ?? []) {
      setDefaults(port as unknown as Fields, { protocol: 'TCP' });
      if (!port.targetPort) port.targetPort = port.port;
    }
    if (mayHaveNodePorts(service)) setDefaults(spec, { externalTrafficPolicy: 'Cluster' });
    else delete spec.externalTrafficPolicy;
    if (spec.type === 'LoadBalancer') setDefaults(spec, { allocateLoadBalancerNodePorts: true });
    if (spec.type === 'ExternalName') return;
    setDefaults(spec, {
      internalTrafficPolicy: 'Cluster',
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: ['IPv4'],
    });
  },
  prepareCreate(service) {
    service.status = { loadBalancer: {} };
  },
  prepareUpdate(service, current) {
    keepAddresses(service, current);
    keepNodePorts(service, current);
  },
  validate(service, current, errors) {
    validateType(service, errors);
    validatePorts(service, errors);
    validateAddress(service, current, errors);
    checkLabels(service.spec.selector, 'spec.selector', errors);
  },
};

/** A client that leaves the address out means the one the service has. */
function keepAddresses(service: Service, current: Service): void {
  const { spec } = service;
  if (spec.type === 'ExternalName') {
    if (spec.clusterIP === current.spec.clusterIP) delete spec.clusterIP;
    delete spec.clusterIPs;
    return;
  }
  if (current.spec.type === 'ExternalName') return;
  if (!spec.clusterIP) {
    if (current.spec.clusterIP) spec.clusterIP = current.spec.clusterIP;
    if (!spec.clusterIPs?.length && current.spec.clusterIPs) spec.clusterIPs = [...current.spec.clusterIPs];
  }
}

/**
 * A client that leaves a node port out means the one that this port and protocol had. One that moves to a type without
 * node ports and sends the old ones back means none.
 */
function keepNodePorts(service: Service, current: Service): void {
  const before = current.spec.ports ?? [];
  if (!mayHaveNodePorts(service)) {
    if (!mayHaveNodePorts(current)) return;
    for (const port of service.spec.ports ?? []) {
      if (before.some(({ nodePort }) => nodePort === port.nodePort)) delete port.nodePort;
    }
    return;
  }
  const used = new Set((service.spec.ports ?? []).map((port) => portKey(port, port.nodePort)));
  for (const port of service.spec.ports ?? []) {
    if (port.nodePort) continue;
    const same = before.find((other) => portKey(other, other.port) === portKey(port, port.port));
    if (same?.nodePort && !used.has(portKey(port, same.nodePort))) port.nodePort = same.nodePort;
  }
}

const portKey = ({ protocol }: ServicePort, port: number | undefined) => `${protocol ?? 'TCP'}/${port}`;

function validateType({ spec }: Service, errors: FieldErrors): void {
  if (!serviceTypes.includes(spec.type ?? '')) errors.notSupported('spec.type', spec.type, serviceTypes);
  if (!affinities.includes(spec.sessionAffinity ?? '')) {
    errors.notSupported('spec.sessionAffinity', spec.sessionAffinity, affinities);
  }
  if (spec.type === 'ExternalName' && !spec.externalName) errors.required('spec.externalName');
  if (spec.type === 'LoadBalancer' && spec.clusterIP === 'None') {
    errors.invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services");
  }
  if (spec.type === 'NodePort' && spec.clusterIP === 'None') {
    errors.invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services");
  }
}

function validatePorts(service: Service, errors: FieldErrors): void {
  const ports = service.spec.ports ?? [];
  const isHeadless = service.spec.clusterIP === 'None';
  if (ports.length === 0 && !isHeadless && service.spec.type !== 'ExternalName')
    errors.required('spec.ports');
  const names = new Set<string>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    if (port.name) {
      for (const complaint of labelName(port.name)) errors.invalid(`${path}.name`, port.name, complaint);
      if (names.has(port.name)) errors.duplicate(`${path}.name`, port.name);
      names.add(port.name);
    } else if (ports.length > 1) errors.required(`${path}.name`);
    for (const complaint of checkPortNumber(port.port)) errors.invalid(`${path}.port`, port.port, complaint);
    if (!protocols.includes(port.protocol ?? '')) {
      errors.notSupported(`${path}.protocol`, port.protocol, protocols);
    }
    const { targetPort } = port;
    const complaints =
      typeof targetPort === 'string' ? checkPortName(targetPort) : checkPortNumber(targetPort);
    for (const complaint of complaints) errors.invalid(`${path}.targetPort`, targetPort, complaint);
    if (numbers.has(portKey(port, port.port))) errors.duplicate(path, describeDuplicate(port));
    numbers.add(portKey(port, port.port));
    if (!port.nodePort) continue;
    if (!mayHaveNodePorts(service)) {
      const detail = `may not be used when \`type\` is '${service.spec.type}'`;
      errors.forbidden(`${path}.nodePort`, detail);
    }
    if (nodePorts.has(portKey(port, port.nodePort))) errors.duplicate(`${path}.nodePort`, port.nodePort);
    nodePorts.add(portKey(port, port.nodePort));
  }
}

/** The server compares ports in its internal form and prints that. */
function describeDuplicate({ port, protocol }: ServicePort) {
  return { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 };
}

function validateAddress(service: Service, current: Service | undefined, errors: FieldErrors): void {
  const { clusterIP, type } = service.spec;
  if (type === 'ExternalName') {
    if (clusterIP) errors.forbidden('spec.clusterIPs', 'may not be set when `type` is "ExternalName"');
    return;
  }
  const isAddress = clusterIP === undefined || clusterIP === '' || clusterIP === 'None' || isIpv4(clusterIP);
  if (!isAddress) {
    errors.invalid(
      'spec.clusterIPs[0]',
      clusterIP,
      'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    );
  }
  const before = current?.spec.type === 'ExternalName' ? undefined : current?.spec.clusterIP;
  if (before && clusterIP !== before) {
    errors.invalid('spec.clusterIPs[0]', [clusterIP], 'may not change once set');
  }
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}
