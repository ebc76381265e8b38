/** Credentials from a program, as client.authentication.k8s.io defines it (`aws eks get-token`, `kubelogin`). */

import { execFile } from 'node:child_process';
import { ClusterAccessError, type Credentials, type Identity, type RequestHeaders } from './access.ts';

export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Said when the program is missing. */
  readonly installHint?: string;
  /** Given to the program as KUBERNETES_EXEC_INFO's `spec.cluster`, where the kubeconfig asks for it. */
  readonly cluster?: Readonly<Record<string, unknown>>;
}

const runTimeoutMs = 60_000;
const maxOutputBytes = 1024 * 1024;
/** New ones are fetched this long before the old ones end. */
const leewayMs = 10_000;

/** Runs the program when there are no credentials, when they end, and after a refusal; never twice at a time. */
export function execCredentials(
  plugin: ExecPlugin,
  headers: RequestHeaders = {},
  now: () => number = Date.now,
): Credentials {
  let held: { identity: Identity; endsAtMs: number } | undefined;
  let running: Promise<Identity> | undefined;
  const refresh = async (): Promise<Identity> => {
    held = readCredential(plugin, await run(plugin), headers);
    return held.identity;
  };
  return {
    current() {
      if (held && now() < held.endsAtMs - leewayMs) return Promise.resolve(held.identity);
      running ??= refresh().finally(() => {
        running = undefined;
      });
      return running;
    },
    discard() {
      held = undefined;
    },
  };
}

function run({ apiVersion, command, args, env, installHint, cluster }: ExecPlugin): Promise<string> {
  const info = {
    apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(cluster && { cluster }) },
  };
  return new Promise((resolve, reject) => {
    const options = {
      env: { ...process.env, ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      timeout: runTimeoutMs,
      maxBuffer: maxOutputBytes,
    };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else if ('code' in error && error.code === 'ENOENT') {
        const hint = installHint ? `: ${installHint}` : '';
        reject(new ClusterAccessError(`the credentials program ${command} is not installed${hint}`));
      } else {
        const said = stderr.trim().split('\n').slice(-3).join(' ') || error.message;
        reject(new ClusterAccessError(`the credentials program ${command} failed: ${said}`));
      }
    }).stdin?.end();
  });
}

interface ExecCredential {
  kind?: unknown;
  apiVersion?: unknown;
  status?: {
    token?: string;
    clientCertificateData?: string;
    clientKeyData?: string;
    expirationTimestamp?: string;
  };
}

function readCredential(
  { command, apiVersion }: ExecPlugin,
  output: string,
  headers: RequestHeaders,
): { identity: Identity; endsAtMs: number } {
  let credential: ExecCredential | null;
  try {
    credential = JSON.parse(output) as ExecCredential | null;
  } catch (cause) {
    throw new ClusterAccessError(`the credentials program ${command} gave no JSON`, { cause });
  }
  const status = credential?.status;
  if (credential?.kind !== 'ExecCredential' || credential.apiVersion !== apiVersion || !status) {
    throw new ClusterAccessError(
      `the credentials program ${command} gave no ExecCredential of ${apiVersion} with a status`,
    );
  }
  const { token, clientCertificateData: chain, clientKeyData: privateKey } = status;
  if (!token && !(chain && privateKey)) {
    throw new ClusterAccessError(`the credentials program ${command} gave neither a token nor a certificate`);
  }
  const endsAtMs = status.expirationTimestamp ? Date.parse(status.expirationTimestamp) : Number.NaN;
  return {
    identity: {
      headers: { ...headers, ...(token ? { authorization: `Bearer ${token}` } : {}) },
      ...(chain && privateKey ? { certificate: { chain, privateKey } } : {}),
    },
    endsAtMs: Number.isNaN(endsAtMs) ? Number.POSITIVE_INFINITY : endsAtMs,
  };
}
