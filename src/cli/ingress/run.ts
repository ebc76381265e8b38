/** Runs `sluice ingress` until a signal ends it. */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { createTcpEngine, createUdpEngine, withoutPrivateKeys } from '../../dataplane/index.ts';
import { type Diagnostic, DiagnosticError, hasErrors, type SourcePosition } from '../../diagnostics/index.ts';
import { diskFileSystem } from '../../files/index.ts';
import {
  createIngressController,
  createIngressRuntime,
  EntryPointError,
  type IngressRuntime,
  type LoadedConfiguration,
  loadStaticConfiguration,
  type RouteFinding,
  type Routing,
  type RoutingOptions,
  reloadStaticConfiguration,
  watchConfigurationFile,
} from '../../ingress/index.ts';
import {
  ClusterAccessError,
  createRemoteApi,
  findCluster,
  type HealthChange,
  type RemoteApi,
} from '../../kubernetes/index.ts';
import type { IngressFlags } from '../ingress.ts';
import { note, noteDiagnostics, print } from '../output.ts';
import { createAccessLog } from './access-log.ts';
import { createIngressLog } from './log.ts';
import { routeTableText } from './route-table-text.ts';

type Log = ReturnType<typeof createIngressLog>;

/** Gives the exit code. */
export async function runIngress(words: readonly string[], flags: IngressFlags): Promise<number> {
  try {
    const conflict = choice('--conflict', flags.conflict, ['oldest', 'traefik'] as const);
    const loaded = load(words);
    if (flags.dryRun !== undefined) return await dryRun(loaded, flags, conflict);
    return await serve(loaded, flags, conflict);
  } catch (error) {
    if (!(error instanceof ClusterAccessError || error instanceof EntryPointError)) throw error;
    note(`error: ${error.message}`);
    return 2;
  }
}

function choice<Value extends string>(option: string, text: string, values: readonly Value[]): Value {
  const found = values.find((value) => value === text);
  if (found) return found;
  const message = `${option} is ${JSON.stringify(text)}; it may be ${values.join(', ')}`;
  throw new DiagnosticError([{ code: 'SL3003', severity: 'error', message }]);
}

function load(words: readonly string[]): LoadedConfiguration {
  const loaded = loadStaticConfiguration({
    arguments: words.map((text, index) => ({
      text,
      position: { file: 'command line', line: 1, column: index + 1 },
    })),
    env: process.env,
    files: diskFileSystem,
    workingDirectory: process.cwd(),
  });
  const { diagnostics } = loaded.configuration;
  if (hasErrors(diagnostics)) throw new DiagnosticError(diagnostics);
  noteDiagnostics(diagnostics);
  return onOwnAddress(loaded);
}

/**
 * Where pods share one network, `SLUICE_LISTEN_ON` names the variable that holds the address of this one, and ports
 * below 1024 are left out where they need a right that is not there: `sluice up` says so.
 */
function onOwnAddress(loaded: LoadedConfiguration): LoadedConfiguration {
  const host = process.env[process.env.SLUICE_LISTEN_ON ?? ''];
  if (!host) return loaded;
  const { configuration } = loaded;
  const isRoot = process.getuid?.() === 0;
  const entryPoints = configuration.entryPoints
    .filter(({ port }) => isRoot || port >= 1024)
    .map((one) => ({ ...one, host: one.host || host }));
  return { ...loaded, configuration: { ...configuration, entryPoints } };
}

function connect(
  { configuration: { kubernetes } }: LoadedConfiguration,
  flags: IngressFlags,
  onHealthChange?: (change: HealthChange) => void,
): RemoteApi {
  const { endpoint, token, authorityFile } = kubernetes;
  const access = findCluster({
    ...(flags.kubeconfig ? { kubeconfig: flags.kubeconfig } : {}),
    ...(flags.context ? { context: flags.context } : {}),
    ...(endpoint ? { endpoint } : {}),
    ...(token ? { token } : {}),
    ...(authorityFile ? { authorityFile } : {}),
  });
  const userAgent = `sluice/${packageVersion()}`;
  return createRemoteApi(access, { userAgent, ...(onHealthChange ? { onHealthChange } : {}) });
}

async function dryRun(
  loaded: LoadedConfiguration,
  flags: IngressFlags,
  conflict: NonNullable<RoutingOptions['conflict']>,
): Promise<number> {
  const { configuration } = loaded;
  const format = choice('--output', flags.output, ['text', 'json'] as const);
  const options = { ...configuration.kubernetes, conflict };
  let routing: Routing;
  let positionOf: (finding: RouteFinding) => SourcePosition | undefined = () => undefined;
  if (typeof flags.dryRun === 'string') {
    const { routingOfTree } = await import('./tree-routing.ts');
    ({ routing, positionOf } = routingOfTree(resolve(flags.dryRun), configuration, options));
  } else routing = await routingOfCluster(loaded, flags, options);
  const { table, findings } = routing;
  const located = findings.map((finding) => ({ ...finding, position: positionOf(finding) }));
  const shown = { table: withoutPrivateKeys(table), findings: located };
  print(format === 'json' ? JSON.stringify(shown, undefined, 2) : routeTableText(routing, positionOf));
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
}

async function routingOfCluster(
  loaded: LoadedConfiguration,
  flags: IngressFlags,
  routing: RoutingOptions,
): Promise<Routing> {
  const { entryPoints, kubernetes, gateway } = loaded.configuration;
  const api = connect(loaded, flags);
  const silent = { apply: () => Promise.resolve() };
  const quiet = { info() {}, warn: (_: unknown, text?: string) => note(`warning: ${text}`), error() {} };
  const controller = createIngressController({
    api,
    engine: silent,
    tcpEngine: silent,
    log: { ...quiet, warn: (fields: object, text?: string) => 'error' in fields && quiet.warn(fields, text) },
    entryPoints,
    routing,
    gateway: gateway.isEnabled,
    ...(kubernetes.namespaces ? { namespaces: kubernetes.namespaces } : {}),
    ...(kubernetes.labelSelector ? { labelSelector: kubernetes.labelSelector } : {}),
  });
  try {
    await controller.start();
    return controller.routing;
  } finally {
    await controller.stop();
    api.close();
  }
}

async function serve(
  loaded: LoadedConfiguration,
  flags: IngressFlags,
  conflict: NonNullable<RoutingOptions['conflict']>,
): Promise<number> {
  const { configuration, source } = loaded;
  const ended = endingSignal();
  const log = createIngressLog(configuration.log);
  const api = connect(loaded, flags, ({ resource, error }) => {
    if (error)
      log.error(
        { resource },
        `the API does not answer for ${resource}, its last state stays in use: ${error}`,
      );
    else log.info({ resource }, `the API answers again for ${resource}`);
  });
  const accessLog = createAccessLog(configuration.accessLog);
  const runtime = createIngressRuntime({
    api,
    health: api,
    configuration,
    udpEngine: await createUdpEngine({
      engine: choice('--engine', flags.engine, ['auto', 'native', 'dgram'] as const),
      log: (level, message) => log[level](message),
      ...(accessLog ? { onSession: (record) => accessLog.session(record) } : {}),
    }),
    tcpEngine: createTcpEngine(accessLog ? { onConnection: (record) => accessLog.connection(record) } : {}),
    log,
    conflict,
    ...(api.podNamespace ? { election: { namespace: api.podNamespace, identity: replicaIdentity() } } : {}),
    version: packageVersion(),
  });
  log.info({}, `sluice ${packageVersion()}: configuration from ${source}, cluster ${api.origin}`);
  reportConfiguration(loaded, conflict, log);
  // The engines' sockets alone may not keep the process alive.
  const alive = setInterval(() => {}, 0x7fffffff);
  const endWatch = followConfiguration(loaded, runtime, log);
  try {
    const failed = await Promise.race([runtime.start().then(() => ended), ended]).catch(
      (error: unknown) => error,
    );
    if (failed instanceof Error) throw failed;
    await runtime.stop();
    return 0;
  } catch (error) {
    await runtime.stop();
    throw error;
  } finally {
    endWatch();
    clearInterval(alive);
    api.close();
  }
}

/** As client-go makes it: who it is for people to read, and nobody else. */
function replicaIdentity(): string {
  return `${hostname()}_${randomUUID()}`;
}

/** What is different from what Traefik would do with the same configuration. */
function reportConfiguration({ configuration }: LoadedConfiguration, conflict: string, log: Log): void {
  const { ignored, kubernetes, entryPoints, api } = configuration;
  if (ignored.length > 0) {
    const names = [...new Set(ignored.map(({ text }) => text))].join(', ');
    log.info({}, `options of Traefik that have no effect here: ${names}`);
  }
  if (entryPoints.length === 0)
    log.warn({}, 'no entry points: declare one as --entrypoints.myudp.address=:9998/udp');
  if (kubernetes.allowCrossNamespace) log.warn({}, 'routes may name Services of other namespaces');
  if (api && !api.insecure) log.warn({}, 'the API is served nowhere: it needs --api.insecure=true');
  const order =
    conflict === 'oldest' ? 'the oldest (Traefik: the last by name; --conflict=traefik)' : 'the last by name';
  log.info(
    {},
    `of several routes on one UDP entry point ${order} holds it; datagrams are balanced one by one unless a route says otherwise`,
  );
}

/** Entry points follow the configuration file, and SIGHUP reads it at once. Gives the way to end it. */
function followConfiguration({ file }: LoadedConfiguration, runtime: IngressRuntime, log: Log): () => void {
  if (!file) return () => {};
  let running: Promise<void> = Promise.resolve();
  const reload = () => {
    running = running.then(async () => {
      try {
        await runtime.reload(reloadStaticConfiguration(file, diskFileSystem));
        log.info({ file }, `${file} was read again`);
      } catch (error) {
        const problems: readonly Diagnostic[] = error instanceof DiagnosticError ? error.diagnostics : [];
        log.error({ file, problems }, `${file} cannot be used, what it said before stays: ${String(error)}`);
      }
    });
  };
  process.on('SIGHUP', reload);
  const endWatch = watchConfigurationFile(file, reload, (error) => log.warn({ file }, String(error)));
  return () => {
    process.off('SIGHUP', reload);
    endWatch();
  };
}

function endingSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

function packageVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
