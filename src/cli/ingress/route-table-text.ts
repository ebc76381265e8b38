/** A route table for people: what each entry point does, and what is wrong. */

import type { TcpDecision, UdpDecision, WeightedService } from '../../dataplane/index.ts';
import type { SourcePosition } from '../../diagnostics/index.ts';
import {
  describeFinding,
  type EntryPoint,
  type RouteFinding,
  type Routing,
  ruleText,
} from '../../ingress/index.ts';

const maxEndpointsShown = 5;

/** `positionOf`: where a finding was written, for a tree. */
export function routeTableText(
  { table, findings, entryPoints }: Routing,
  positionOf: (finding: RouteFinding) => SourcePosition | undefined = () => undefined,
): string {
  const lines: string[] = [];
  for (const decision of table.udp) lines.push(...udpLines(decision, entryPoints));
  for (const decision of table.tcp ?? []) lines.push(...tcpLines(decision, entryPoints));
  if (lines.length === 0) lines.push('no entry points');
  if (findings.length > 0) lines.push('', 'findings:');
  for (const finding of findings) {
    const position = positionOf(finding);
    const place = position ? `${position.file}:${position.line}:${position.column}: ` : '';
    lines.push(`  ${place}${finding.severity} ${describeFinding(finding)}`);
  }
  return lines.join('\n');
}

function heading(name: string, entryPoints: readonly EntryPoint[]): string {
  const found = entryPoints.find((entryPoint) => entryPoint.name === name);
  const place = found ? ` ${found.host}:${found.port}/${found.protocol}` : '';
  return `entry point ${name}${place}`;
}

function udpLines(decision: UdpDecision, entryPoints: readonly EntryPoint[]): string[] {
  const head = heading(decision.entryPoint, entryPoints);
  if (decision.kind === 'drop') return [head, `  drop (${decision.reason}): ${decision.detail}`];
  const { name, services, ...settings } = decision.route;
  const texts = Object.entries(settings).map(([key, value]) => settingText(key, value));
  const shown = texts.length > 0 ? ` (${texts.join(', ')})` : '';
  return [head, `  route ${name}${shown}`, ...services.flatMap(serviceLines)];
}

function tcpLines({ entryPoint, routes }: TcpDecision, entryPoints: readonly EntryPoint[]): string[] {
  const head = heading(entryPoint, entryPoints);
  if (routes.length === 0) return [head, '  refuse (no_route): no IngressRouteTCP is bound to it'];
  return [
    head,
    ...routes.flatMap(({ name, rule, priority, tls, services, refusal }) => [
      `  route ${name}: ${ruleText(rule)}, priority ${priority}${tls ? `, TLS ${tls.mode}` : ''}`,
      ...(refusal ? [`    refuse (${refusal.reason}): ${refusal.detail}`] : services.flatMap(serviceLines)),
    ]),
  ];
}

/** The balance is its own name. */
function settingText(key: string, value: unknown): string {
  return key === 'balance' ? String(value) : `${key} ${JSON.stringify(value)}`;
}

function serviceLines({ name, weight, endpoints, refusal }: WeightedService): string[] {
  if (refusal) return [`    ${name} (weight ${weight}): its share is dropped (${refusal})`];
  const ready = endpoints.filter(({ state }) => state === 'ready');
  const shown = ready.slice(0, maxEndpointsShown).map(({ address, port }) => `${address}:${port}`);
  const more = ready.length > shown.length ? ` and ${ready.length - shown.length} more` : '';
  return [`    ${name} (weight ${weight}): ${shown.join(', ') || 'no endpoints'}${more}`];
}
