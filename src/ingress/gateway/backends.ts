/**
 * The backendRefs of a route in, its services and the verdict over them out. An invalid one keeps its share, which is then
 * dropped or refused (`backendRefs` in the reference of UDPRouteRule and TCPRouteRule).
 */

import type { WeightedService } from '../../dataplane/index.ts';
import type { RouteFinding } from '../routing/findings.ts';
import { resolveService, type ServiceIndex } from '../routing/route-services.ts';
import type { Verdict } from './compile-gateways.ts';
import { type BackendReference, type GatewayRoute, gatewayGroup, type ReferenceGrant } from './objects.ts';

export interface Reference {
  readonly route: GatewayRoute;
  readonly protocol: 'UDP' | 'TCP';
}

export interface ResolvedBackends {
  readonly services: readonly WeightedService[];
  readonly resolved: Verdict;
  /** Absent: there is an endpoint to forward to. */
  readonly problem: string | undefined;
}

export function resolveBackends(
  reference: Reference,
  index: ServiceIndex,
  grants: readonly ReferenceGrant[],
): ResolvedBackends {
  const services: WeightedService[] = [];
  const faults: Verdict[] = [];
  let missing: string | undefined;
  const backends = reference.route.spec.rules[0]?.backendRefs ?? [];
  const own = reference.route.metadata.namespace ?? 'default';
  for (const [position, backend] of backends.entries()) {
    const { name, namespace = own, weight = 1 } = backend;
    const invalid = { name: `${namespace}/${name}`, weight, endpoints: [], refusal: 'no_service' } as const;
    const fault = faultOf(reference.route, backend, grants);
    if (fault) {
      faults.push(fault);
      services.push(invalid);
      continue;
    }
    const findings: RouteFinding[] = [];
    const service = resolveService(
      { ...backend, port: backend.port ?? '', weight },
      ['spec', 'rules', 0, 'backendRefs', position],
      {
        protocol: reference.protocol,
        ingressRoute: reference.route,
        index,
        options: { allowCrossNamespace: true },
        findings,
      },
    );
    const error = findings.find(({ severity }) => severity === 'error');
    services.push(service ? withRefusal(service) : invalid);
    if (!service && error) faults.push({ isTrue: false, reason: reasonOf(error), message: error.message });
    missing ??= error?.message;
  }
  const [first] = faults;
  const isReady = services.some(
    ({ weight, endpoints }) => weight > 0 && endpoints.some(({ state }) => state === 'ready'),
  );
  const resolved = first ?? { isTrue: true, reason: 'ResolvedRefs', message: 'all backends are there' };
  const otherwise = backends.length === 0 ? 'it has no backendRefs' : 'every backend has weight 0';
  return { services, resolved, problem: isReady ? undefined : (first?.message ?? missing ?? otherwise) };
}

/** Without endpoints too its share is lost: the specification counts such a Service among the invalid ones. */
function withRefusal(service: WeightedService): WeightedService {
  if (service.endpoints.some(({ state }) => state === 'ready')) return service;
  return { ...service, refusal: 'no_endpoints' };
}

function reasonOf({ code }: RouteFinding): string {
  return code === 'SL3108' ? 'UnsupportedValue' : 'BackendNotFound';
}

function faultOf(
  route: GatewayRoute,
  backend: BackendReference,
  grants: readonly ReferenceGrant[],
): Verdict | undefined {
  const { group = '', kind = 'Service', namespace, name } = backend;
  if (group !== '' || kind !== 'Service') {
    return { isTrue: false, reason: 'InvalidKind', message: `${kind} ${name} is no Service` };
  }
  const own = route.metadata.namespace ?? 'default';
  if (namespace === undefined || namespace === own) return undefined;
  const isGranted = grants.some(
    ({ metadata, spec }) =>
      metadata.namespace === namespace &&
      spec.from.some(
        (from) => from.group === gatewayGroup && from.kind === route.kind && from.namespace === own,
      ) &&
      spec.to.some(
        (to) => to.group === '' && to.kind === 'Service' && (to.name === undefined || to.name === name),
      ),
  );
  if (isGranted) return undefined;
  const message = `Service ${namespace}/${name} is in another namespace, and no ReferenceGrant there allows it`;
  return { isTrue: false, reason: 'RefNotPermitted', message };
}
