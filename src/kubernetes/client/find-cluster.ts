/** Which cluster is meant, from what the user said and where the process runs. */

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ClusterAccess, ClusterAccessError, fixedCredentials } from './access.ts';
import { proxyFromEnvironment, readKubeconfig } from './kubeconfig.ts';
import { tokenFileCredentials } from './token-file.ts';

export interface FindClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  /** A server to use whatever else is said, as Traefik's `providers.kubernetescrd.endpoint`. */
  readonly endpoint?: string;
  /** With `endpoint`: a bearer token. */
  readonly token?: string;
  /** With `endpoint`: a file of PEM certificates. */
  readonly authorityFile?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where a pod finds its own account. */
  readonly serviceAccountDirectory?: string;
}

const podAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * In this order: `kubeconfig` or `context`; inside a pod its own account; `endpoint`; KUBECONFIG; `~/.kube/config`. Throws
 * `ClusterAccessError`.
 */
export function findCluster(options: FindClusterOptions = {}): ClusterAccess {
  const { env = process.env, kubeconfig, context } = options;
  const isInPod = Boolean(env.KUBERNETES_SERVICE_HOST && env.KUBERNETES_SERVICE_PORT);
  const named = kubeconfig ? [kubeconfig] : (env.KUBECONFIG ?? '').split(':').filter((path) => path !== '');
  const paths = named.length > 0 ? named : [join(env.HOME || homedir(), '.kube', 'config')];
  if (!kubeconfig && !context) {
    if (isInPod) return podAccess(options, env);
    if (options.endpoint) return endpointAccess(options, options.endpoint);
  }
  return readKubeconfig({ paths, env, ...(context ? { context } : {}) });
}

function podAccess(
  { endpoint, serviceAccountDirectory = podAccountDirectory }: FindClusterOptions,
  env: Readonly<Record<string, string | undefined>>,
): ClusterAccess {
  const host = env.KUBERNETES_SERVICE_HOST ?? '';
  const authority = host.includes(':') ? `[${host}]` : host;
  const server = new URL(endpoint ?? `https://${authority}:${env.KUBERNETES_SERVICE_PORT}`);
  const proxy = proxyFromEnvironment(server, env);
  const podNamespace = textOf(join(serviceAccountDirectory, 'namespace')) ?? 'default';
  return {
    server,
    ...(proxy ? { proxy } : {}),
    namespace: podNamespace,
    podNamespace,
    tls: { authorities: () => pem(join(serviceAccountDirectory, 'ca.crt')) },
    credentials: tokenFileCredentials(join(serviceAccountDirectory, 'token')),
    origin: 'in-cluster',
  };
}

function endpointAccess({ token, authorityFile }: FindClusterOptions, endpoint: string): ClusterAccess {
  if (!URL.canParse(endpoint)) throw new ClusterAccessError(`the endpoint is not a URL: ${endpoint}`);
  return {
    server: new URL(endpoint),
    namespace: 'default',
    tls: authorityFile ? { authorities: () => pem(authorityFile) } : {},
    credentials: fixedCredentials({ headers: token ? { authorization: `Bearer ${token}` } : {} }),
    origin: endpoint,
  };
}

function pem(path: string): string {
  const text = textOf(path);
  if (text === undefined) throw new ClusterAccessError(`${path} cannot be read`);
  return text;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
