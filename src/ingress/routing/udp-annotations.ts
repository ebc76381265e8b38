/** What the annotations of a UDP route ask for beyond what its resource can say. Pure. */

import {
  isAddressRange,
  type UdpBalance,
  type UdpClientAddress,
  type UdpRate,
  type UdpRoute,
} from '../../dataplane/index.ts';
import { nearestName } from '../../diagnostics/index.ts';
import type { KubeObject } from '../../kubernetes/index.ts';
import { parseDurationMs } from '../static/duration.ts';
import type { RouteFinding } from './findings.ts';

export type UdpRouteSettings = Omit<UdpRoute, 'name' | 'services'>;

export interface UdpAnnotations {
  readonly settings: UdpRouteSettings;
  readonly problems: readonly AnnotationProblem[];
  /** Set where a setting cannot be understood: without it the route might serve whom it should not. */
  readonly refusal: string | undefined;
}

export interface AnnotationProblem extends Pick<RouteFinding, 'code' | 'severity' | 'message'> {
  readonly annotation: string;
}

const prefix = 'sluice.dev/';
/** On an IngressRouteTCP too. */
export const balanceAnnotation = `${prefix}balance`;

const balances: readonly UdpBalance[] = ['datagram', 'session', 'source'];
const clientAddresses: readonly UdpClientAddress[] = [
  'proxy-v2',
  'proxy-v2-first',
  'simple-proxy-protocol',
  'transparent',
];

/** Thrown by readers: what the value should have been. */
class Unreadable extends Error {}

/** By the name behind the prefix. */
const readers: Readonly<Record<string, (text: string) => UdpRouteSettings>> = {
  balance: (text) => ({ balance: choice(text, balances) }),
  responses: (text) => ({ responses: wholeNumber(text) }),
  allow: (text) => ({ allow: ranges(text) }),
  deny: (text) => ({ deny: ranges(text) }),
  rate: (text) => ({ rate: rate(text) }),
  'rate-per-client': (text) => ({ ratePerClient: rate(text) }),
  'max-datagram-bytes': (text) => ({ maxDatagramBytes: wholeNumber(text) }),
  'max-amplification': (text) => ({ maxAmplification: wholeNumber(text) }),
  'idle-timeout': (text) => ({ idleTimeoutMs: duration(text) }),
  'client-address': (text) => ({ clientAddress: choice(text, clientAddresses) }),
};

const nothing: UdpAnnotations = { settings: {}, problems: [], refusal: undefined };

export function readUdpAnnotations({ metadata }: KubeObject): UdpAnnotations {
  const own = Object.entries(metadata.annotations ?? {}).filter(([name]) => name.startsWith(prefix));
  if (own.length === 0) return nothing;
  const problems: AnnotationProblem[] = [];
  let settings: UdpRouteSettings = {};
  for (const [annotation, text] of own) {
    const name = annotation.slice(prefix.length);
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (!read) {
      problems.push(unknown(annotation, name));
      continue;
    }
    try {
      settings = { ...settings, ...read(text.trim()) };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      problems.push(unreadable(annotation, text, error.message));
    }
  }
  return { settings, problems, refusal: problems.find(({ severity }) => severity === 'error')?.message };
}

function unknown(annotation: string, name: string): AnnotationProblem {
  const nearest = nearestName(name, Object.keys(readers));
  const hint = nearest === undefined ? '' : `; did you mean ${prefix}${nearest}?`;
  return { annotation, code: 'SL3111', severity: 'warning', message: `${annotation} means nothing${hint}` };
}

function unreadable(annotation: string, text: string, wanted: string): AnnotationProblem {
  const message = `${annotation} is ${JSON.stringify(text)}; it ${wanted}`;
  // Any balance reaches the right endpoints.
  return annotation === balanceAnnotation
    ? { annotation, code: 'SL3109', severity: 'warning', message }
    : { annotation, code: 'SL3110', severity: 'error', message };
}

function choice<Name extends string>(text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new Unreadable(`may be ${names.join(', ')}`);
  return found;
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Unreadable('must be a whole number above zero');
  return Number(text);
}

function rate(text: string): UdpRate {
  const [, perSecond, burst] = /^(\d{1,9}(?:\.\d+)?)(?::([1-9]\d{0,8}))?$/.exec(text) ?? [];
  if (!perSecond || Number(perSecond) === 0) {
    throw new Unreadable('must be datagrams per second, and may have a burst: 100 or 100:500');
  }
  return { datagramsPerSecond: Number(perSecond), ...(burst ? { burst: Number(burst) } : {}) };
}

function duration(text: string): number {
  const parsed = parseDurationMs(text);
  if (!parsed) throw new Unreadable('must be a duration above zero, such as 30s or 5m');
  return parsed;
}

function ranges(text: string): string[] {
  const list = text.split(',').map((item) => item.trim());
  const wrong = list.find((item) => !isAddressRange(item));
  if (wrong === undefined) return list;
  throw new Unreadable(
    `must be addresses and CIDR ranges with commas between them, and ${JSON.stringify(wrong)} is none`,
  );
}
