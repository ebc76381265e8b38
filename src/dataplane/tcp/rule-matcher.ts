/** A route's rule in, a test of connections out. Pure. */

import type { TcpRule } from '../route-table.ts';
import { addressMatcher } from './address.ts';
import { compileGoPattern } from './go-regexp.ts';

/** What a rule can see of a connection. */
export interface ConnectionFacts {
  /** In lower case, without a dot at its end. '' for a connection without TLS, or a ClientHello without a name. */
  readonly serverName: string;
  readonly alpnProtocols: readonly string[];
  /** As `plainAddress` gives it. */
  readonly clientAddress: string;
}

export type RuleMatcher = (facts: ConnectionFacts) => boolean;

/** Throws `PatternError` for a pattern that is not one; the ingress has refused those before. */
export function compileRule(rule: TcpRule): RuleMatcher {
  switch (rule.kind) {
    case 'hostSni':
      return compileHost(rule.host);
    case 'hostSniRegexp': {
      const isFound = compileGoPattern(rule.pattern);
      return ({ serverName }) => isFound(serverName);
    }
    case 'clientIp': {
      const isIn = addressMatcher([rule.range]);
      return ({ clientAddress }) => isIn(clientAddress);
    }
    case 'alpn':
      return ({ alpnProtocols }) => alpnProtocols.includes(rule.protocol);
    case 'and': {
      const [left, right] = [compileRule(rule.left), compileRule(rule.right)];
      return (facts) => left(facts) && right(facts);
    }
    case 'or': {
      const [left, right] = [compileRule(rule.left), compileRule(rule.right)];
      return (facts) => left(facts) || right(facts);
    }
    case 'not': {
      const operand = compileRule(rule.operand);
      return (facts) => !operand(facts);
    }
  }
}

function compileHost(host: string): RuleMatcher {
  if (host === '*') return () => true;
  if (!host.startsWith('*.')) return ({ serverName }) => serverName === host;
  const suffix = host.slice(1);
  return ({ serverName }) => {
    const label = serverName.slice(0, -suffix.length);
    return serverName.endsWith(suffix) && label !== '' && !label.includes('.');
  };
}

/**
 * The host names, `*.example.com` among them, of which one must be the connection's for the rule to match; undefined
 * where others can match too. Lets thousands of routes be told apart by two look-ups.
 */
export function neededHosts(rule: TcpRule): readonly string[] | undefined {
  switch (rule.kind) {
    case 'hostSni':
      return rule.host === '*' ? undefined : [rule.host];
    case 'and':
      return neededHosts(rule.left) ?? neededHosts(rule.right);
    case 'or': {
      const [left, right] = [neededHosts(rule.left), neededHosts(rule.right)];
      return left && right ? [...left, ...right] : undefined;
    }
    default:
      return undefined;
  }
}
