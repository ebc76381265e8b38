/** Traefik's static configuration, from whichever source, as one typed value. */

import type { Diagnostic } from '../../diagnostics/index.ts';
import { type LabelSelector, parseLabelSelector, SelectorSyntaxError } from '../../kubernetes/index.ts';
import { type EntryPoint, present, readEntryPoint } from './entry-points.ts';
import { findOption } from './known-options.ts';
import { OptionReader } from './option-reader.ts';
import { type LocatedArgument, type OptionValue, optionsOfArguments } from './option-sources.ts';

export interface StaticConfiguration {
  readonly entryPoints: readonly EntryPoint[];
  readonly kubernetes: KubernetesOptions;
  readonly gateway: GatewayOptions;
  readonly log: { readonly level?: LogLevel; readonly format?: 'json' | 'common' };
  /** Present: connections and sessions are logged when they end. */
  readonly accessLog?: { readonly format: 'json' | 'common'; readonly filePath?: string };
  /** Present: `GET /ping` on this entry point. */
  readonly ping?: { readonly entryPoint: string; readonly terminatingStatus: number };
  /** Present: `GET /metrics` on this entry point. */
  readonly prometheus?: { readonly entryPoint: string };
  /** Present: `GET /api/...`; on the entry point `traefik` when `insecure`, else nowhere. */
  readonly api?: { readonly insecure: boolean; readonly basePath: string };
  /** Options that Traefik has and sluice does not need. */
  readonly ignored: readonly LocatedArgument[];
  readonly diagnostics: readonly Diagnostic[];
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** `providers.kubernetescrd.*` */
export interface KubernetesOptions {
  readonly endpoint?: string;
  readonly token?: string;
  readonly authorityFile?: string;
  /** Absent: all. */
  readonly namespaces?: readonly string[];
  /** Of routes; Services and endpoints are not filtered by it. */
  readonly labelSelector?: LabelSelector;
  readonly ingressClass?: string;
  readonly allowCrossNamespace: boolean;
  readonly allowExternalNameServices: boolean;
  readonly allowEmptyServices: boolean;
  readonly nativeLBByDefault: boolean;
  readonly disableClusterScopeResources: boolean;
  /** Between two tables. 0: each change at once. */
  readonly throttleMs: number;
}

/** `providers.kubernetesgateway.*` */
export interface GatewayOptions {
  readonly isEnabled: boolean;
  /** What Gateways show as their addresses: `providers.kubernetesgateway.statusaddress.ip` or `.hostname`. */
  readonly addresses: readonly { readonly type: 'IPAddress' | 'Hostname'; readonly value: string }[];
}

/** Reads the words of a command line. See `readStaticOptions`. */
export function readStaticArguments(words: readonly LocatedArgument[]): StaticConfiguration {
  return readStaticOptions(optionsOfArguments(words));
}

/**
 * Names are read without regard to case, and the last value of an option wins, as in Traefik. Never throws: what is
 * wrong is in `diagnostics`.
 */
export function readStaticOptions(values: readonly OptionValue[]): StaticConfiguration {
  const diagnostics: Diagnostic[] = [];
  const ignored: LocatedArgument[] = [];
  const general = new OptionReader(diagnostics);
  const drafts = new Map<string, { name: string; options: OptionReader }>();
  for (const value of values) {
    const found = findOption(value.words);
    if (!('option' in found)) {
      diagnostics.push(unknownOption(value, found.word, found.nearest));
      continue;
    }
    const [first, name = '', ...rest] = found.path;
    if (!found.option.isUsed && found.path.length > (first === 'entrypoints' ? 2 : 0)) {
      ignored.push({ text: value.written, position: value.position });
      // It switches its group on all the same: `--api.dashboard`.
      if (first !== 'entrypoints') general.set(found.path.join('.'), value);
    } else if (first === 'entrypoints') {
      const key = name.toLowerCase();
      const draft = drafts.get(key) ?? { name, options: new OptionReader(diagnostics) };
      draft.options.set(rest.join('.'), value);
      drafts.set(key, draft);
    } else general.set(found.path.join('.'), value);
  }
  const entryPoints = [...drafts.values()].flatMap(({ name, options }) =>
    readEntryPoint(name, options, diagnostics),
  );
  const options = readGeneral(general);
  for (const path of ['ping.entrypoint', 'metrics.prometheus.entrypoint']) {
    const name = general.text(path);
    const isKnown =
      name === undefined || name === adminEntryPoint || entryPoints.some((one) => one.name === name);
    if (!isKnown) general.refuse(path, 'no entry point');
  }
  return { entryPoints, ...options, ignored, diagnostics };
}

function unknownOption(
  { written, position }: OptionValue,
  word: string,
  nearest: string | undefined,
): Diagnostic {
  return {
    code: 'SL3002',
    severity: 'error',
    message: `Traefik has no option ${written}`,
    position,
    hint: nearest ? `Did you mean \`${nearest}\` instead of \`${word}\`?` : 'Remove it.',
  };
}

const logLevels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const formats = ['json', 'common'] as const;

function readGeneral(options: OptionReader) {
  const level = options.choice('log.level', [...logLevels, 'panic']);
  const pingEntryPoint = options.text('ping.entrypoint') ?? adminEntryPoint;
  return {
    kubernetes: readKubernetes(options),
    gateway: {
      isEnabled: options.hasGroup('providers.kubernetesgateway'),
      addresses: statusAddresses(options),
    },
    log: present({
      level: level === 'panic' ? ('fatal' as const) : level,
      format: options.choice('log.format', formats),
    }),
    ...present({
      accessLog: options.hasGroup('accesslog') ? readAccessLog(options) : undefined,
      ping: options.hasGroup('ping')
        ? {
            entryPoint: pingEntryPoint,
            terminatingStatus: options.number('ping.terminatingstatuscode') ?? 503,
          }
        : undefined,
      prometheus: options.hasGroup('metrics.prometheus')
        ? { entryPoint: options.text('metrics.prometheus.entrypoint') ?? adminEntryPoint }
        : undefined,
      api: options.hasGroup('api')
        ? {
            insecure: options.flag('api.insecure') ?? false,
            basePath: (options.text('api.basepath') ?? '').replace(/\/+$/, ''),
          }
        : undefined,
    }),
  };
}

/** Where ping, metrics and API are unless they say otherwise. */
export const adminEntryPoint = 'traefik';

function readAccessLog(options: OptionReader) {
  const format = options.choice('accesslog.format', formats) ?? ('common' as const);
  return { format, ...present({ filePath: options.text('accesslog.filepath') }) };
}

function readKubernetes(options: OptionReader): KubernetesOptions {
  const option = (name: string) => `providers.kubernetescrd.${name}`;
  return {
    allowCrossNamespace: options.flag(option('allowcrossnamespace')) ?? false,
    allowExternalNameServices: options.flag(option('allowexternalnameservices')) ?? false,
    allowEmptyServices: options.flag(option('allowemptyservices')) ?? false,
    nativeLBByDefault: options.flag(option('nativelbbydefault')) ?? false,
    disableClusterScopeResources: options.flag(option('disableclusterscoperesources')) ?? false,
    // Traefik waits 2 s between two tables unless told otherwise; here a change goes through at once.
    throttleMs:
      options.durationMs(option('throttleduration')) ??
      options.durationMs('providers.providersthrottleduration') ??
      0,
    ...present({
      endpoint: options.text(option('endpoint')),
      token: options.text(option('token')),
      authorityFile: options.text(option('certauthfilepath')),
      namespaces: namespacesOf(options, option('namespaces')),
      labelSelector: selectorOf(options, option('labelselector')),
      ingressClass: options.text(option('ingressclass')),
    }),
  };
}

function statusAddresses(options: OptionReader): GatewayOptions['addresses'] {
  const ip = options.text('providers.kubernetesgateway.statusaddress.ip');
  const hostname = options.text('providers.kubernetesgateway.statusaddress.hostname');
  return [
    ...(ip ? [{ type: 'IPAddress' as const, value: ip }] : []),
    ...(hostname ? [{ type: 'Hostname' as const, value: hostname }] : []),
  ];
}

function namespacesOf(options: OptionReader, path: string): string[] | undefined {
  const list = options.list(path);
  return list && list.length > 0 ? list : undefined;
}

function selectorOf(options: OptionReader, path: string): LabelSelector | undefined {
  const text = options.text(path);
  if (!text) return undefined;
  try {
    return parseLabelSelector(text);
  } catch (error) {
    if (!(error instanceof SelectorSyntaxError)) throw error;
    return options.refuse(path, `no label selector: ${error.message}`);
  }
}
