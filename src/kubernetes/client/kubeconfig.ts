/**
 * kubeconfig files in, a way to the cluster out. A small reader of our own: the library for it (the official client)
 * takes longer to load than the whole ingress and brings a client whose watches stop for good.
 */

import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parse } from 'yaml';
import {
  type ClusterAccess,
  ClusterAccessError,
  type Credentials,
  fixedCredentials,
  type Identity,
  type RequestHeaders,
} from './access.ts';
import { execCredentials } from './exec-plugin.ts';
import { tokenFileCredentials } from './token-file.ts';

export interface KubeconfigOptions {
  /** Merged in this order: of two entries with one name the first holds, as in kubectl. */
  readonly paths: readonly string[];
  /** `current-context` when absent. */
  readonly context?: string;
  readonly readFile?: (path: string) => string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

type Fields = Readonly<Record<string, unknown>>;

interface Entry {
  readonly fields: Fields;
  /** Paths in the entry are relative to its file. */
  readonly directory: string;
}

interface Merged {
  readonly clusters: Map<string, Entry>;
  readonly users: Map<string, Entry>;
  readonly contexts: Map<string, Entry>;
  currentContext: string | undefined;
}

/** Throws `ClusterAccessError`. */
export function readKubeconfig(options: KubeconfigOptions): ClusterAccess {
  const { paths, readFile = (path) => readFileSync(path, 'utf8'), env = process.env } = options;
  const merged = merge(paths, readFile);
  const name = options.context ?? merged.currentContext;
  if (!name)
    throw new ClusterAccessError(`${paths.join(':')} sets no current-context: name one with --context`);
  const context = merged.contexts.get(name)?.fields;
  if (!context) {
    const known = [...merged.contexts.keys()].join(', ') || 'none';
    throw new ClusterAccessError(`${paths.join(':')} has no context ${name}; it has: ${known}`);
  }
  const cluster = merged.clusters.get(textOf(context, 'cluster') ?? '');
  if (!cluster) throw new ClusterAccessError(`context ${name} names a cluster that is not there`);
  const userName = textOf(context, 'user');
  const user = userName === undefined ? undefined : merged.users.get(userName);
  if (userName !== undefined && !user) {
    throw new ClusterAccessError(`context ${name} names user ${userName}, which is not there`);
  }
  return {
    ...clusterOf(cluster, readFile, env),
    namespace: textOf(context, 'namespace') ?? 'default',
    credentials: user ? credentialsOf(user, cluster, readFile) : fixedCredentials({ headers: {} }),
    origin: `${paths.join(':')} (context ${name})`,
  };
}

function merge(paths: readonly string[], readFile: (path: string) => string): Merged {
  const merged: Merged = {
    clusters: new Map(),
    users: new Map(),
    contexts: new Map(),
    currentContext: undefined,
  };
  const missing: string[] = [];
  for (const path of paths) {
    const config = readConfig(path, readFile);
    if (!config) {
      missing.push(path);
      continue;
    }
    merged.currentContext ??= textOf(config, 'current-context') || undefined;
    const directory = dirname(resolve(path));
    collect(config, 'clusters', 'cluster', merged.clusters, directory);
    collect(config, 'users', 'user', merged.users, directory);
    collect(config, 'contexts', 'context', merged.contexts, directory);
  }
  if (missing.length === paths.length) {
    throw new ClusterAccessError(`there is no kubeconfig at ${paths.join(' or ')}`);
  }
  return merged;
}

function readConfig(path: string, readFile: (path: string) => string): Fields | undefined {
  let text: string;
  try {
    text = readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ClusterAccessError(`${path} cannot be read`, { cause });
  }
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new ClusterAccessError(`${path} is not valid YAML: ${String(cause)}`, { cause });
  }
  if (!isFields(value)) throw new ClusterAccessError(`${path} is not a kubeconfig`);
  return value;
}

function collect(
  config: Fields,
  list: string,
  field: string,
  into: Map<string, Entry>,
  directory: string,
): void {
  const entries = config[list];
  if (!Array.isArray(entries)) return;
  for (const entry of entries) {
    if (!isFields(entry)) continue;
    const name = textOf(entry, 'name');
    const fields = entry[field];
    if (name === undefined || into.has(name)) continue;
    into.set(name, { fields: isFields(fields) ? fields : {}, directory });
  }
}

function clusterOf(
  cluster: Entry,
  readFile: (path: string) => string,
  env: Readonly<Record<string, string | undefined>>,
): Pick<ClusterAccess, 'server' | 'tls' | 'proxy'> {
  const { fields } = cluster;
  const server = urlOf(textOf(fields, 'server') ?? '', 'server');
  if (!['http:', 'https:'].includes(server.protocol)) {
    throw new ClusterAccessError(`server is neither http:// nor https://: ${JSON.stringify(server.href)}`);
  }
  const proxyText = textOf(fields, 'proxy-url');
  const proxy = proxyText ? urlOf(proxyText, 'proxy-url') : proxyFromEnvironment(server, env);
  if (proxy && !['http:', 'https:'].includes(proxy.protocol)) {
    throw new ClusterAccessError(
      `proxy ${proxy.protocol}// is not supported: only http and https proxies are`,
    );
  }
  const authorities = pemOf(cluster, 'certificate-authority', readFile);
  const serverName = textOf(fields, 'tls-server-name');
  return {
    server,
    ...(proxy ? { proxy } : {}),
    tls: {
      ...(authorities ? { authorities } : {}),
      ...(fields['insecure-skip-tls-verify'] === true ? { insecureSkipVerify: true } : {}),
      ...(serverName ? { serverName } : {}),
    },
  };
}

/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as Go's net/http reads them: loopback is never proxied. */
export function proxyFromEnvironment(
  server: URL,
  env: Readonly<Record<string, string | undefined>>,
): URL | undefined {
  const read = (name: string) => env[name] || env[name.toLowerCase()];
  const text = read(server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  const host = server.hostname.replace(/^\[|\]$/g, '');
  if (!text || host === 'localhost' || host === '::1' || host.startsWith('127.')) return undefined;
  const exempt = (read('NO_PROXY') ?? '').split(',').some((entry) => {
    const name = entry.trim().replace(/^\*?\./, '');
    return entry.trim() === '*' || (name !== '' && (host === name || host.endsWith(`.${name}`)));
  });
  return exempt ? undefined : urlOf(text.includes('://') ? text : `http://${text}`, 'HTTPS_PROXY');
}

function credentialsOf(user: Entry, cluster: Entry, readFile: (path: string) => string): Credentials {
  const { fields, directory } = user;
  const headers = impersonation(fields);
  const exec = fields.exec;
  if (isFields(exec)) return execCredentials(execPluginOf(exec, directory, cluster), headers);
  if (fields['auth-provider'] !== undefined) {
    throw new ClusterAccessError('auth-provider is gone from Kubernetes since 1.26: use an exec plugin');
  }
  const tokenFile = textOf(fields, 'tokenFile');
  if (tokenFile) return tokenFileCredentials(absolute(tokenFile, directory), headers);
  const chain = pemOf(user, 'client-certificate', readFile)?.();
  const privateKey = pemOf(user, 'client-key', readFile)?.();
  const token = textOf(fields, 'token');
  const userName = textOf(fields, 'username');
  const basic = Buffer.from(`${userName}:${textOf(fields, 'password') ?? ''}`).toString('base64');
  const authorization = token ? `Bearer ${token}` : userName ? `Basic ${basic}` : undefined;
  const identity: Identity = {
    headers: { ...headers, ...(authorization ? { authorization } : {}) },
    ...(chain && privateKey ? { certificate: { chain, privateKey } } : {}),
  };
  return fixedCredentials(identity);
}

function impersonation(fields: Fields): RequestHeaders {
  const as = textOf(fields, 'as');
  const groups = fields['as-groups'];
  return {
    ...(as ? { 'impersonate-user': as } : {}),
    ...(Array.isArray(groups) ? { 'impersonate-group': groups.map(String) } : {}),
  };
}

function execPluginOf(exec: Fields, directory: string, cluster: Entry) {
  const command = textOf(exec, 'command') ?? '';
  const env: Record<string, string> = {};
  for (const entry of Array.isArray(exec.env) ? exec.env : []) {
    if (isFields(entry)) env[textOf(entry, 'name') ?? ''] = textOf(entry, 'value') ?? '';
  }
  const installHint = textOf(exec, 'installHint');
  return {
    apiVersion: textOf(exec, 'apiVersion') ?? 'client.authentication.k8s.io/v1',
    // A command with a path is relative to the kubeconfig, one without is searched for.
    command: command.includes('/') ? absolute(command, directory) : command,
    args: Array.isArray(exec.args) ? exec.args.map(String) : [],
    env,
    ...(installHint ? { installHint } : {}),
    ...(exec.provideClusterInfo === true ? { cluster: cluster.fields } : {}),
  };
}

/** `NAME-data` (base64) wins over the file `NAME`. */
function pemOf(
  { fields, directory }: Entry,
  name: string,
  readFile: (path: string) => string,
): (() => string) | undefined {
  const data = textOf(fields, `${name}-data`);
  if (data) {
    const pem = Buffer.from(data, 'base64').toString('utf8');
    return () => pem;
  }
  const file = textOf(fields, name);
  if (!file) return undefined;
  const path = absolute(file, directory);
  return () => {
    try {
      return readFile(path);
    } catch (cause) {
      throw new ClusterAccessError(`${name} ${path} cannot be read`, { cause });
    }
  };
}

function urlOf(text: string, what: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new ClusterAccessError(`${what} is not a URL: ${JSON.stringify(text)}`, { cause });
  }
}

const absolute = (path: string, directory: string) => (isAbsolute(path) ? path : resolve(directory, path));

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
