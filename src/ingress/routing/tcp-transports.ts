/** How a TCP route's service is reached: its own fields and its ServersTransportTCP. */

import type { EndpointTls, TcpService } from '../../dataplane/index.ts';
import type { IngressRouteTcpService, ServersTransportTCP } from '../../kubernetes/index.ts';
import { parseDurationMs } from '../static/duration.ts';
import {
  authorities,
  keyPair,
  namespaceOf,
  type Path,
  report,
  secretValue,
  type TcpContext,
} from './tcp-references.ts';

export type Transport = Omit<TcpService, 'name' | 'weight' | 'endpoints'>;

/** Undefined, with a finding, where it names a ServersTransportTCP that is missing or cannot be obeyed. */
export function compileTransport(
  reference: IngressRouteTcpService,
  path: Path,
  context: TcpContext,
): Transport | undefined {
  const own = ownTransport(reference);
  if (!reference.serversTransport) return { ...own, ...(reference.tls ? { tls: {} } : {}) };
  const name = `${namespaceOf(context.ingressRoute)}/${reference.serversTransport}`;
  const found = context.objects.serversTransports.get(name);
  const problem = (message: string) => {
    report(context, { code: 'SL3205', message, path: [...path, 'serversTransport'] });
    return undefined;
  };
  if (!found) return problem(`ServersTransportTCP ${name} not found`);
  const transport = readTransport(found, Boolean(reference.tls), context);
  return typeof transport === 'string'
    ? problem(`ServersTransportTCP ${name}: ${transport}`)
    : { ...own, ...transport };
}

/** The fields that ServersTransportTCP has replaced. */
function ownTransport({ proxyProtocol, terminationDelay }: IngressRouteTcpService): Transport {
  return {
    ...(proxyProtocol ? { proxyProtocol: proxyProtocol.version === 1 ? 1 : 2 } : {}),
    ...(terminationDelay === undefined ? {} : { terminationDelayMs: terminationDelay }),
  };
}

/** A string says what is wrong with it. */
function readTransport(
  { spec, metadata }: ServersTransportTCP,
  wantsTls: boolean,
  context: TcpContext,
): Transport | string {
  const { proxyProtocol, tls } = spec;
  const durations = {
    connectTimeoutMs: spec.dialTimeout,
    keepAliveMs: spec.dialKeepAlive,
    terminationDelayMs: spec.terminationDelay,
  };
  const read: Record<string, number> = {};
  for (const [field, text] of Object.entries(durations)) {
    if (text === undefined) continue;
    const milliseconds = parseDurationMs(String(text));
    if (milliseconds === undefined) return `${JSON.stringify(text)} is no duration`;
    read[field] = milliseconds;
  }
  const version = proxyProtocol?.version ?? 2;
  if (version !== 1 && version !== 2) return `there is no PROXY protocol version ${version}`;
  const endpointTls = wantsTls ? readTls(tls ?? {}, metadata.namespace ?? 'default', context) : undefined;
  if (typeof endpointTls === 'string') return endpointTls;
  return {
    ...read,
    ...(proxyProtocol ? { proxyProtocol: version } : {}),
    ...(endpointTls ? { tls: endpointTls } : {}),
  };
}

type TransportTls = NonNullable<ServersTransportTCP['spec']['tls']>;

function readTls(tls: TransportTls, namespace: string, context: TcpContext): EndpointTls | string {
  const roots = readRoots(tls, namespace, context);
  if (typeof roots === 'string') return roots;
  const [own] = tls.certificatesSecrets ?? [];
  const certificate = own === undefined ? undefined : keyPair(`${namespace}/${own}`, context.objects.secrets);
  if (typeof certificate === 'string') return certificate;
  const peerNames = [...(tls.peerCertSANs ?? []), ...(tls.peerCertURI ? [tls.peerCertURI] : [])];
  return {
    ...(tls.serverName ? { serverName: tls.serverName } : {}),
    ...(tls.insecureSkipVerify ? { insecureSkipVerify: true } : {}),
    ...(roots.length > 0 ? { rootAuthorities: roots } : {}),
    ...(certificate ? { certificate } : {}),
    ...(peerNames.length > 0 ? { peerNames } : {}),
  };
}

function readRoots(tls: TransportTls, namespace: string, { objects }: TcpContext): string[] | string {
  const roots: string[] = [];
  const sources = [...(tls.rootCAs ?? []), ...(tls.rootCAsSecrets ?? []).map((secret) => ({ secret }))];
  for (const { secret, configMap } of sources as { secret?: string; configMap?: string }[]) {
    const name = `${namespace}/${secret ?? configMap}`;
    const found = secret
      ? (authorities(name, objects.secrets) ?? secretValue(objects.secrets.get(name), 'tls.crt'))
      : objects.configMaps.get(name)?.data?.['ca.crt'];
    if (!found) return `${secret ? 'Secret' : 'ConfigMap'} ${name} with a ca.crt not found`;
    roots.push(found);
  }
  return roots;
}
