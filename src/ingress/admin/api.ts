/** The paths below `/api`, answered as Traefik answers them. Read-only. */

import type { Routing } from '../routing/incremental/routing-state.ts';
import type { StaticConfiguration } from '../static/static-configuration.ts';
import { type AdminRequest, type AdminResponse, jsonResponse } from './http-server.ts';
import { entryPointItem, type Item, type TraefikView, traefikView } from './traefik-shapes.ts';

export interface ApiSource {
  readonly routing: () => Routing;
  readonly configuration: () => StaticConfiguration;
  readonly version: string;
  readonly startedAt: Date;
}

/** Undefined for a path that is none of the API's. */
export type ApiHandler = (request: AdminRequest) => AdminResponse | undefined;

export function createApiHandler(source: ApiSource): ApiHandler {
  let seen: { routing: Routing; view: TraefikView } | undefined;
  const view = (): TraefikView => {
    const routing = source.routing();
    if (seen?.routing !== routing) seen = { routing, view: traefikView(routing) };
    return seen.view;
  };
  return ({ path, query }) => {
    const [api, ...rest] = path.split('/').filter((step) => step !== '');
    if (api !== 'api') return undefined;
    const [first = '', second = '', ...id] = rest.map(decodeURIComponent);
    if (first === 'rawdata') return jsonResponse(200, rawData(view()));
    if (first === 'overview') return jsonResponse(200, overview(view(), source.configuration()));
    if (first === 'version') {
      const { version, startedAt } = source;
      return jsonResponse(200, { Version: version, Codename: 'sluice', startDate: startedAt.toISOString() });
    }
    if (first === 'entrypoints') return entryPoints(source, second, query);
    if (first !== 'udp' && first !== 'tcp') return undefined;
    if (second !== 'routers' && second !== 'services') return undefined;
    return oneOrList(view()[first][second], id.join('/'), second === 'routers' ? 'router' : 'service', query);
  };
}

function entryPoints({ configuration }: ApiSource, name: string, query: URLSearchParams): AdminResponse {
  const items = configuration().entryPoints.map(entryPointItem);
  if (name === '') return page(items, query);
  const found = items.find((item) => item.name === name);
  return found ? jsonResponse(200, found) : notFound('entry point', name);
}

function oneOrList(items: readonly Item[], id: string, what: string, query: URLSearchParams): AdminResponse {
  if (id !== '') {
    const found = items.find(({ name }) => name === id);
    return found ? jsonResponse(200, found) : notFound(what, id);
  }
  const search = query.get('search')?.toLowerCase() ?? '';
  const status = query.get('status') ?? '';
  const serviceName = query.get('serviceName') ?? '';
  const direction = query.get('direction') === 'desc' ? -1 : 1;
  const chosen = items
    .filter(
      (item) =>
        search === '' || JSON.stringify([item.name, item.service, item.rule]).toLowerCase().includes(search),
    )
    .filter((item) => status === '' || item.status === status)
    .filter((item) => serviceName === '' || item.service === serviceName)
    .toSorted((left, right) => (left.name < right.name ? -direction : direction));
  return page(chosen, query);
}

function notFound(what: string, id: string): AdminResponse {
  return jsonResponse(404, { message: `${what} not found: ${id}` });
}

/** Pages as Traefik numbers them: from 1, and `X-Next-Page: 1` when there is no more. */
function page(items: readonly unknown[], query: URLSearchParams): AdminResponse {
  const number = Number(query.get('page') ?? 1);
  const size = Number(query.get('per_page') ?? 100);
  const start = (number - 1) * size;
  const isValid = Number.isInteger(number) && Number.isInteger(size) && number > 0 && size > 0;
  if (!isValid || (start > 0 && start >= items.length)) {
    return jsonResponse(400, { message: `invalid request: page: ${number}, per_page: ${size}` });
  }
  const hasMore = start + size < items.length;
  const headers = { 'x-next-page': String(hasMore ? number + 1 : 1) };
  return jsonResponse(200, items.slice(start, start + size), headers);
}

function rawData({ udp, tcp }: TraefikView): Record<string, unknown> {
  const byName = (items: readonly Item[]) => {
    const entries = items.map((item): [string, unknown] => {
      const shown: Record<string, unknown> = { ...item };
      for (const field of ['name', 'provider', 'type']) delete shown[field];
      return [item.name, shown];
    });
    return entries.length > 0 ? Object.fromEntries(entries) : undefined;
  };
  return {
    tcpRouters: byName(tcp.routers),
    tcpServices: byName(tcp.services),
    udpRouters: byName(udp.routers),
    udpServices: byName(udp.services),
  };
}

function overview({ udp, tcp }: TraefikView, configuration: StaticConfiguration): Record<string, unknown> {
  const count = (items: readonly Item[]) => ({
    total: items.length,
    warnings: items.filter(({ status }) => status === 'warning').length,
    errors: items.filter(({ status }) => status === 'disabled').length,
  });
  const none = count([]);
  return {
    http: { routers: none, services: none, middlewares: none },
    tcp: { routers: count(tcp.routers), services: count(tcp.services), middlewares: none },
    udp: { routers: count(udp.routers), services: count(udp.services) },
    features: {
      tracing: '',
      metrics: configuration.prometheus ? 'Prometheus' : '',
      accessLog: configuration.accessLog !== undefined,
    },
    providers: ['KubernetesCRD', ...(configuration.gateway.isEnabled ? ['KubernetesGateway'] : [])],
  };
}
