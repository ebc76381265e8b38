/** The objects that TCP routes refer to, found by name, and what goes wrong on the way. */

import type {
  ConfigMap,
  IngressRouteTCP,
  KubeObject,
  MiddlewareTCP,
  Secret,
  ServersTransportTCP,
  TLSOption,
  TraefikReference,
} from '../../kubernetes/index.ts';
import { namespacedName } from '../../kubernetes/index.ts';
import type { RouteFinding } from './findings.ts';
import type { RoutingOptions } from './options.ts';
import type { ServiceIndex } from './route-services.ts';

export type Path = readonly (string | number)[];

/** By `namespace/name` each. */
export interface TcpObjects {
  readonly services: ServiceIndex;
  readonly middlewares: ReadonlyMap<string, MiddlewareTCP>;
  readonly serversTransports: ReadonlyMap<string, ServersTransportTCP>;
  readonly tlsOptions: ReadonlyMap<string, TLSOption>;
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly configMaps: ReadonlyMap<string, ConfigMap>;
}

/** What an IngressRouteTCP is compiled in. */
export interface TcpContext {
  readonly ingressRoute: IngressRouteTCP;
  readonly objects: TcpObjects;
  readonly options: RoutingOptions;
  readonly findings: RouteFinding[];
}

export function byName<Kind extends KubeObject>(objects: readonly Kind[] = []): ReadonlyMap<string, Kind> {
  return new Map(objects.map((object) => [namespacedName(object), object]));
}

export function namespaceOf(object: KubeObject): string {
  return object.metadata.namespace ?? 'default';
}

/** Adds a finding about the IngressRouteTCP. An error unless said otherwise. */
export function report(
  { ingressRoute, findings }: TcpContext,
  finding: Pick<RouteFinding, 'code' | 'message' | 'path' | 'textOffset'> & { severity?: 'warning' },
): void {
  findings.push({ severity: 'error', route: namespacedName(ingressRoute), ...finding });
}

/** The `namespace/name` that a reference means, or undefined, with a finding, where it may not be followed. */
export function followReference(
  reference: TraefikReference,
  what: string,
  path: Path,
  context: TcpContext,
): string | undefined {
  const own = namespaceOf(context.ingressRoute);
  const name = `${reference.namespace || own}/${reference.name}`;
  if (reference.name.includes('@')) {
    const message = `${what} ${reference.name}: only objects of the cluster can be named, without @provider`;
    report(context, { code: 'SL3108', message, path: [...path, 'name'] });
    return undefined;
  }
  if (reference.namespace && reference.namespace !== own && !context.options.allowCrossNamespace) {
    const message = `${what} ${name} is not in the route's namespace ${own}`;
    report(context, { code: 'SL3106', message, path: [...path, 'namespace'] });
    return undefined;
  }
  return name;
}

/** A value of a Secret, decoded. */
export function secretValue(secret: Secret | undefined, key: string): string | undefined {
  const encoded = secret?.data?.[key];
  return secret?.stringData?.[key] ?? (encoded && Buffer.from(encoded, 'base64').toString('utf8'));
}

/** A certificate and its key from a Secret, or what is wrong with it. */
export function keyPair(
  name: string,
  secrets: ReadonlyMap<string, Secret>,
): { certificateChain: string; privateKey: string } | string {
  const secret = secrets.get(name);
  if (!secret) return `Secret ${name} not found`;
  const [certificateChain, privateKey] = [secretValue(secret, 'tls.crt'), secretValue(secret, 'tls.key')];
  if (!certificateChain || !privateKey) {
    return `Secret ${name} has no ${certificateChain ? 'tls.key' : 'tls.crt'}`;
  }
  return { certificateChain, privateKey };
}

/** The certificates of authorities that a Secret holds: `tls.ca`, or `ca.crt` as cert-manager writes it. */
export function authorities(name: string, secrets: ReadonlyMap<string, Secret>): string | undefined {
  const secret = secrets.get(name);
  return secretValue(secret, 'tls.ca') ?? secretValue(secret, 'ca.crt');
}
