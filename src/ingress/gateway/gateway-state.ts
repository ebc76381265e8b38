/** The Gateway API objects, and what is made of them whenever one changes or something that they looked up does. */

import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, namespacedName, type WatchEvent } from '../../kubernetes/index.ts';
import type { ServiceIndex } from '../routing/route-services.ts';
import type { EntryPoint } from '../static/entry-points.ts';
import { compileGateways, type GatewayRouting, noGateways } from './compile-gateways.ts';
import type { Gateway, GatewayClass, GatewayRoute, ReferenceGrant } from './objects.ts';

const kinds = [
  'gatewayclasses',
  'gateways',
  'udproutes',
  'tcproutes',
  'referencegrants',
  'namespaces',
] as const;
export type GatewayKind = (typeof kinds)[number];

export function isGatewayKind(kind: string): kind is GatewayKind {
  return (kinds as readonly string[]).includes(kind);
}

export class GatewayState {
  private readonly objects: Record<GatewayKind, Map<string, KubeObject>> = {
    gatewayclasses: new Map(),
    gateways: new Map(),
    udproutes: new Map(),
    tcproutes: new Map(),
    referencegrants: new Map(),
    namespaces: new Map(),
  };
  private last: GatewayRouting = noGateways;

  apply(kind: GatewayKind, { type, object }: WatchEvent): void {
    const name = namespacedName(object);
    if (type === 'DELETED') this.objects[kind].delete(name);
    else this.objects[kind].set(name, object);
  }

  /** The same object as before when nothing came out differently. */
  compile(index: ServiceIndex, entryPoints: readonly EntryPoint[]): GatewayRouting {
    const { namespaces } = this.objects;
    const next = compileGateways({
      classes: this.list<GatewayClass>('gatewayclasses'),
      gateways: this.list<Gateway>('gateways'),
      udpRoutes: this.list<GatewayRoute>('udproutes'),
      tcpRoutes: this.list<GatewayRoute>('tcproutes'),
      grants: this.list<ReferenceGrant>('referencegrants'),
      namespaces,
      index,
      entryPoints,
    });
    if (isDeepStrictEqual(next, this.last)) return this.last;
    const { last } = this;
    this.last = {
      ...next,
      entryPoints: isDeepStrictEqual(next.entryPoints, last.entryPoints)
        ? last.entryPoints
        : next.entryPoints,
      udp: next.udp.map((one) => last.udp.find((before) => isDeepStrictEqual(before, one)) ?? one),
      tcp: next.tcp.map((one) => last.tcp.find((before) => isDeepStrictEqual(before, one)) ?? one),
    };
    return this.last;
  }

  private list<Kind extends KubeObject>(kind: GatewayKind): Kind[] {
    return [...this.objects[kind].values()] as Kind[];
  }
}
