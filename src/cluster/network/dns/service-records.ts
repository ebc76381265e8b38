/**
 * Names of Services and pods: https://github.com/kubernetes/dns/blob/master/docs/specification.md, without names of single
 * endpoints. Pure.
 */

import type { EndpointSlice, Service } from '../../../kubernetes/index.ts';
import type { DnsOutcome, DnsQuestion, DnsRecord } from './message.ts';

export interface NamedObjects {
  /** By `namespace/name`. */
  service(name: string): Service | undefined;
  /** Of the Service, by its `namespace/name`. */
  slices(service: string): readonly EndpointSlice[];
}

export interface DnsAnswer {
  readonly outcome: DnsOutcome;
  readonly records: readonly DnsRecord[];
}

const noSuchName: DnsAnswer = { outcome: 'no such name', records: [] };

/** `domain` is the cluster's, as `cluster.local`. */
export function lookUp(question: DnsQuestion, domain: string, objects: NamedObjects): DnsAnswer {
  const { name, type } = question;
  if (name !== domain && !name.endsWith(`.${domain}`)) return { outcome: 'refused', records: [] };
  const labels = name === domain ? [] : name.slice(0, -domain.length - 1).split('.');
  const found = recordsOf(labels, domain, objects);
  if (!found) return noSuchName;
  const records = found.filter((record) => type === 'ANY' || record.type === type || record.type === 'CNAME');
  return { outcome: 'found', records };
}

/** Undefined where there is no such name; empty where there is one and nothing to say of it. */
function recordsOf(
  labels: readonly string[],
  domain: string,
  objects: NamedObjects,
): DnsRecord[] | undefined {
  const kind = labels.at(-1);
  // Names that others are below exist themselves (RFC 8020).
  if (kind === undefined || (labels.length === 1 && (kind === 'svc' || kind === 'pod'))) return [];
  const [first = '', second = '', third = ''] = labels;
  if (kind === 'pod' && labels.length === 3) return podRecords(first);
  if (kind !== 'svc') return undefined;
  if (labels.length === 3) return serviceRecords(`${second}/${first}`, objects);
  if (labels.length !== 5 || !first.startsWith('_') || !second.startsWith('_')) return undefined;
  const service = `${labels[3]}/${third}`;
  return portRecords(
    service,
    first.slice(1),
    second.slice(1),
    `${labels.slice(2).join('.')}.${domain}`,
    objects,
  );
}

/** `10-244-0-2` is the address with dots. */
function podRecords(dashed: string): DnsRecord[] | undefined {
  if (!/^\d{1,3}(-\d{1,3}){3}$/.test(dashed)) return undefined;
  return [{ type: 'A', address: dashed.replaceAll('-', '.') }];
}

function serviceRecords(name: string, objects: NamedObjects): DnsRecord[] | undefined {
  const service = objects.service(name);
  if (!service) return undefined;
  const { type, externalName, clusterIP } = service.spec;
  if (type === 'ExternalName') return externalName ? [{ type: 'CNAME', target: externalName }] : undefined;
  if (clusterIP && clusterIP !== 'None') return [{ type: 'A', address: clusterIP }];
  const addresses = readyAddresses(service, objects.slices(name));
  return addresses.length === 0 ? undefined : addresses.map((address) => ({ type: 'A', address }));
}

function readyAddresses({ spec }: Service, slices: readonly EndpointSlice[]): string[] {
  const ready = slices
    .filter(({ addressType }) => addressType === 'IPv4')
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ conditions }) => spec.publishNotReadyAddresses || conditions?.ready !== false);
  return [...new Set(ready.flatMap(({ addresses }) => addresses))];
}

function portRecords(
  name: string,
  port: string,
  protocol: string,
  target: string,
  objects: NamedObjects,
): DnsRecord[] | undefined {
  const ports = objects.service(name)?.spec.ports ?? [];
  const found = ports.find(
    (candidate) => candidate.name === port && (candidate.protocol ?? 'TCP').toLowerCase() === protocol,
  );
  return found && [{ type: 'SRV', port: found.port, target }];
}
