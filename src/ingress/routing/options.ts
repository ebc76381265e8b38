import type { KubeObject } from '../../kubernetes/index.ts';

/** The settings of Traefik's `providers.kubernetesCRD` that decide what routes may do. All off by default, as there. */
export interface RoutingOptions {
  /** Routes may name Services, middlewares and TLS options of other namespaces. */
  readonly allowCrossNamespace?: boolean;
  readonly allowExternalNameServices?: boolean;
  /** A Service without endpoints is no error. Its route carries nothing until it has some, either way. */
  readonly allowEmptyServices?: boolean;
  /** Services that do not say are reached through their clusterIP. */
  readonly nativeLBByDefault?: boolean;
  /** Only routes of this class are taken. Absent or '': those without a class and those of class `traefik`. */
  readonly ingressClass?: string;
  /**
   * Which of several routes holds a UDP entry point. `oldest` when absent, as Gateway API says; `traefik`: the one whose
   * name sorts last.
   */
  readonly conflict?: 'oldest' | 'traefik';
}

const classAnnotation = 'kubernetes.io/ingress.class';

/** Whether a route is of the class that is served. */
export function isOfClass(
  route: KubeObject & { spec: { ingressClassName?: string } },
  { ingressClass = '' }: RoutingOptions,
): boolean {
  const written = route.spec.ingressClassName ?? route.metadata.annotations?.[classAnnotation] ?? '';
  return ingressClass === '' ? written === '' || written === 'traefik' : written === ingressClass;
}

/** The oldest first, then by namespace and name: the order in which routes hold what several want. */
export function byAge(left: KubeObject, right: KubeObject): number {
  const [a, b] = [left.metadata, right.metadata];
  return (
    compareText(a.creationTimestamp ?? '', b.creationTimestamp ?? '') ||
    compareText(a.namespace ?? '', b.namespace ?? '') ||
    compareText(a.name, b.name)
  );
}

function compareText(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
