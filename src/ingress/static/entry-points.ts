/** Entry points as Traefik's command line declares them. */

import { type Diagnostic, nearestName, type SourcePosition } from '../../diagnostics/index.ts';
import { parseDurationMs } from './duration.ts';

export interface EntryPoint {
  readonly name: string;
  /** '' listens on every address. */
  readonly host: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** How long a UDP session lives without a datagram. */
  readonly udpTimeoutMs: number;
  /** Where the address was written. */
  readonly position: SourcePosition;
}

/** One word of a command line and where it was written. */
export interface LocatedArgument {
  readonly text: string;
  readonly position: SourcePosition;
}

export interface StaticConfiguration {
  readonly entryPoints: readonly EntryPoint[];
  /** Options that Traefik has and sluice does not need. */
  readonly ignored: readonly LocatedArgument[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Traefik's `DefaultUDPTimeout`. */
const defaultUdpTimeoutMs = 3000;

/** The first words of Traefik v3's static options (its `traefik --help`), lower case. */
const knownRoots = [
  'accesslog',
  'api',
  'certificatesresolvers',
  'configfile',
  'core',
  'entrypoints',
  'experimental',
  'global',
  'hostresolver',
  'log',
  'metrics',
  'ocsp',
  'ping',
  'providers',
  'serverstransport',
  'spiffe',
  'tcpserverstransport',
  'tracing',
];

/** What may follow `entrypoints.NAME.`, lower case. */
const knownEntryPointOptions = [
  'address',
  'allowacmebypass',
  'asdefault',
  'forwardedheaders',
  'http',
  'http2',
  'http3',
  'observability',
  'proxyprotocol',
  'reuseport',
  'transport',
  'udp',
];

interface Draft {
  name: string;
  address?: LocatedArgument;
  timeout?: LocatedArgument;
}

/**
 * Reads `--a.b=value` words as Traefik does: names without regard to case, the last value of an option wins.
 * Source of the rules: Traefik's paerser and its EntryPoint documentation.
 */
export function readStaticArguments(words: readonly LocatedArgument[]): StaticConfiguration {
  const drafts = new Map<string, Draft>();
  const ignored: LocatedArgument[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const { option, value, position } of splitOptions(words)) {
    const problem = unknownOption(option, position);
    if (problem) diagnostics.push(problem);
    else if (!recordEntryPointOption(drafts, option, value, position)) {
      ignored.push({ text: `--${option}`, position });
    }
  }
  const entryPoints = [...drafts.values()].flatMap((draft) => finishEntryPoint(draft, diagnostics));
  return { entryPoints, ignored, diagnostics };
}

/** `--name=value`, `-name=value` or `--name value`; a name alone means `true`. */
function* splitOptions(words: readonly LocatedArgument[]) {
  for (let index = 0; index < words.length; index++) {
    const { text, position } = words[index]!;
    const [option = '', ...rest] = text.replace(/^--?/, '').split('=');
    const next = words[index + 1];
    if (rest.length === 0 && next && !next.text.startsWith('-')) {
      index++;
      yield { option, value: next.text, position };
    } else {
      yield { option, value: rest.length > 0 ? rest.join('=') : 'true', position };
    }
  }
}

function unknownOption(option: string, position: SourcePosition): Diagnostic | undefined {
  const steps = option.split('.');
  const root = steps[0]!.toLowerCase();
  if (!knownRoots.includes(root)) return unknown(option, steps[0]!, knownRoots, position);
  const third = steps[2];
  if (root === 'entrypoints' && third && !knownEntryPointOptions.includes(third.toLowerCase())) {
    return unknown(option, third, knownEntryPointOptions, position);
  }
  return undefined;
}

function unknown(
  option: string,
  word: string,
  known: readonly string[],
  position: SourcePosition,
): Diagnostic {
  const meant = nearestName(word, known);
  return {
    code: 'SL3002',
    severity: 'error',
    message: `Traefik has no option --${option}`,
    position,
    hint: meant ? `Did you mean \`${meant}\` instead of \`${word}\`?` : 'Remove it.',
  };
}

function recordEntryPointOption(
  drafts: Map<string, Draft>,
  option: string,
  value: string,
  position: SourcePosition,
): boolean {
  const [root = '', name, ...rest] = option.split('.');
  if (root.toLowerCase() !== 'entrypoints' || !name) return false;
  const draft = drafts.get(name.toLowerCase()) ?? { name };
  const leaf = rest.join('.').toLowerCase();
  if (leaf === 'address') draft.address = { text: value, position };
  else if (leaf === 'udp.timeout') draft.timeout = { text: value, position };
  else return false;
  drafts.set(name.toLowerCase(), draft);
  return true;
}

function finishEntryPoint({ name, address, timeout }: Draft, diagnostics: Diagnostic[]): EntryPoint[] {
  if (!address) {
    diagnostics.push(invalid(`entry point ${name} has no address`, timeout!.position, name));
    return [];
  }
  const parsed = parseEntryPointAddress(address.text);
  if (typeof parsed === 'string') {
    diagnostics.push(invalid(`entry point ${name}: ${parsed}`, address.position, name));
    return [];
  }
  const udpTimeoutMs = timeout ? parseDurationMs(timeout.text) : defaultUdpTimeoutMs;
  if (!udpTimeoutMs) {
    const message = `entry point ${name}: udp.timeout ${JSON.stringify(timeout!.text)} is not a duration above zero`;
    diagnostics.push({ code: 'SL3001', severity: 'error', message, position: timeout!.position });
    return [];
  }
  return [{ name, ...parsed, udpTimeoutMs, position: address.position }];
}

function invalid(message: string, position: SourcePosition, name: string): Diagnostic {
  const hint = `Write it as \`--entrypoints.${name}.address=:9998/udp\`: [host]:port[/tcp|/udp].`;
  return { code: 'SL3001', severity: 'error', message, position, hint };
}

/** `[host]:port[/tcp|/udp]`, the protocol in any case, tcp when absent. A string says what is wrong. */
export function parseEntryPointAddress(
  text: string,
): { host: string; port: number; protocol: 'tcp' | 'udp' } | string {
  const [address = '', protocolText = 'tcp'] = splitOnce(text, '/');
  const protocol = protocolText.toLowerCase();
  if (protocol !== 'tcp' && protocol !== 'udp') return `invalid protocol: ${protocolText}`;
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65535) return `invalid address: ${JSON.stringify(text)}`;
  return { host: match[1] ?? match[2] ?? '', port, protocol };
}

function splitOnce(text: string, separator: string): string[] {
  const cut = text.indexOf(separator);
  return cut < 0 ? [text] : [text.slice(0, cut), text.slice(cut + separator.length)];
}
