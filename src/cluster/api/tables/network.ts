/** Columns of Services, endpoints and network policies. */

import {
  type EndpointSlice,
  type Endpoints,
  formatLabelSelector,
  type KubeObject,
  type LabelSelector,
  type Service,
} from '../../../kubernetes/index.ts';
import { type Column, nameColumn, text, wide } from './columns.ts';
import { ageColumn, selectorText } from './workloads.ts';

function externalIpText({ spec, status }: Service): string {
  const external = ((spec.externalIPs ?? []) as string[]).join(',');
  if (spec.type === 'ExternalName') return spec.externalName ?? '<none>';
  if (spec.type !== 'LoadBalancer') return external || '<none>';
  const ingress = ((status as { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } })
    ?.loadBalancer?.ingress ?? []) as { ip?: string; hostname?: string }[];
  const balancers = ingress.map(({ ip, hostname }) => ip || hostname || '').join(',');
  return [balancers, external].filter(Boolean).join(',') || '<pending>';
}

function portsText({ spec }: Service): string {
  const ports = (spec.ports ?? []).map(({ port, nodePort, protocol = 'TCP' }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.join(',') || '<none>';
}

export const serviceColumns: Column<Service>[] = [
  nameColumn,
  text('Type', ({ spec }) => spec.type ?? 'ClusterIP'),
  text('Cluster-IP', ({ spec }) => spec.clusterIP || '<none>'),
  text('External-IP', externalIpText),
  text('Port(s)', portsText),
  ageColumn,
  wide(
    'Selector',
    ({ spec }) => formatLabelSelector(spec.selector && { matchLabels: spec.selector }) || '<none>',
  ),
];

const shownEndpoints = 3;

/** At most three addresses, then how many more. */
function endpointsText({ subsets = [] }: Endpoints): string {
  const all: string[] = [];
  for (const { addresses = [], ports = [] } of subsets) {
    if (ports.length === 0) all.push(...addresses.map(({ ip }) => ip));
    for (const { port } of ports) all.push(...addresses.map(({ ip }) => hostPort(ip, port)));
  }
  return limitedList(all);
}

function limitedList(all: readonly string[]): string {
  const more = all.length > shownEndpoints ? ` + ${all.length - shownEndpoints} more...` : '';
  return all.slice(0, shownEndpoints).join(',') + more || '<none>';
}

const hostPort = (ip: string, port: number) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

export const endpointsColumns: Column<Endpoints>[] = [
  nameColumn,
  text('Endpoints', endpointsText),
  ageColumn,
];

export const endpointSliceColumns: Column<EndpointSlice>[] = [
  nameColumn,
  text('AddressType', ({ addressType }) => addressType),
  text('Ports', ({ ports }) =>
    ports && ports.length > 0 ? limitedList(ports.map(({ port }) => String(port ?? '*'))) : '<unset>',
  ),
  text('Endpoints', ({ endpoints }) => {
    const addresses = (endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
    return addresses.length > 0 ? limitedList(addresses) : '<unset>';
  }),
  ageColumn,
];

interface NetworkPolicy extends KubeObject {
  spec: { podSelector?: LabelSelector };
}

export const networkPolicyColumns: Column<NetworkPolicy>[] = [
  nameColumn,
  text('Pod-Selector', ({ spec }) => selectorText(spec.podSelector)),
  ageColumn,
];
