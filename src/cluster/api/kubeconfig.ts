/** The file that kubectl finds the cluster by. */

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * kubectl sends no credentials over plain HTTP: the secret in the server's path is the credential. Some client libraries
 * want to be told that plain HTTP is meant.
 */
export function kubeconfigText(serverUrl: string): string {
  return `apiVersion: v1
kind: Config
clusters:
- name: sluice
  cluster:
    server: ${serverUrl}
    insecure-skip-tls-verify: true
contexts:
- name: sluice
  context:
    cluster: sluice
    user: sluice
    namespace: default
users:
- name: sluice
  user: {}
current-context: sluice
preferences: {}
`;
}

/** Replaces the file at once; nobody but its owner may read it. */
export function writeKubeconfig(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
