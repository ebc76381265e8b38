/** What the user pointed at: a GitOps tree with its Applications, or one kustomization directory in such a tree. */

import { dirname, join, relative, resolve } from 'node:path';
import { type ArgoApplication, readApplications } from '../argocd/index.ts';
import type { Diagnostic } from '../diagnostics/index.ts';
import type { FileSystem } from '../files/index.ts';

/** Where Applications live, as the guide lays a tree out. */
export const bootstrapDirectory = 'argocd-bootstrap';
export const settingsFile = 'sluice.yaml';
const kustomizationFiles = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

export interface Tree {
  /** Absolute: the directory that holds argocd-bootstrap/ or sluice.yaml; else the one the user named. */
  readonly root: string;
  readonly applications: readonly ArgoApplication[];
  /** The kustomization directory to bring up alone, where the user named one. */
  readonly kustomization?: string;
  /** Absolute paths of what was read. */
  readonly filesRead: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** `path` is absolute. Diagnostics name files relative to `workingDirectory`. */
export function readTree(path: string, files: FileSystem, workingDirectory: string): Tree {
  const kind = files.kind(path);
  const name = relative(workingDirectory, path) || '.';
  if (kind !== 'directory') {
    const message = kind === 'file' ? `${name} is a file, not a directory` : `no such directory: ${name}`;
    return unusable(path, { code: 'SL1001', severity: 'error', message, hint: wantedHint });
  }
  const isKustomization = hasAny(files, path, kustomizationFiles);
  const root = isKustomization ? (treeRootAbove(path, files) ?? path) : path;
  if (!isKustomization && files.kind(join(root, bootstrapDirectory)) !== 'directory') {
    const message = `${name} holds neither ${bootstrapDirectory}/ nor a kustomization.yaml`;
    return unusable(path, { code: 'SL2007', severity: 'error', message, hint: wantedHint });
  }
  const { applications, filesRead, diagnostics } = readBootstrap(root, files, workingDirectory);
  return {
    root,
    applications,
    filesRead,
    diagnostics,
    ...(isKustomization ? { kustomization: path } : {}),
  };
}

const wantedHint = `Name the directory that holds ${bootstrapDirectory}/, or a kustomization directory.`;

function unusable(root: string, diagnostic: Diagnostic): Tree {
  return { root, applications: [], filesRead: [], diagnostics: [diagnostic] };
}

function hasAny(files: FileSystem, directory: string, names: readonly string[]): boolean {
  return names.some((name) => files.kind(join(directory, name)) === 'file');
}

function treeRootAbove(directory: string, files: FileSystem): string | undefined {
  for (let current = resolve(directory); ; current = dirname(current)) {
    if (files.kind(join(current, bootstrapDirectory)) === 'directory') return current;
    if (files.kind(join(current, settingsFile)) === 'file') return current;
    if (current === dirname(current)) return undefined;
  }
}

function readBootstrap(root: string, files: FileSystem, workingDirectory: string) {
  const applications: ArgoApplication[] = [];
  const diagnostics: Diagnostic[] = [];
  const filesRead = yamlFilesBelow(join(root, bootstrapDirectory), files);
  for (const file of filesRead) {
    const text = new TextDecoder().decode(files.read(file));
    const read = readApplications(text, relative(workingDirectory, file));
    applications.push(...read.applications);
    diagnostics.push(...read.diagnostics);
  }
  return { applications, filesRead, diagnostics };
}

function yamlFilesBelow(directory: string, files: FileSystem): string[] {
  if (files.kind(directory) !== 'directory') return [];
  return files.list(directory).flatMap((name) => {
    const path = join(directory, name);
    if (files.kind(path) === 'directory') return yamlFilesBelow(path, files);
    return /\.ya?ml$/.test(name) ? [path] : [];
  });
}
