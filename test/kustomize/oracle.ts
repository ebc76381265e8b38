/** `kubectl kustomize` as the oracle: asked live, or remembered in fixtures. */

import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { memoryFileSystem } from '../../src/files/index.ts';
import { formatObjects, renderKustomization } from '../../src/kustomize/index.ts';
import type { CaseFiles } from './cases/shared.ts';

/** What a renderer answers: its output, or that it fails. */
export type Answer = { readonly output: string } | { readonly fails: true };

export const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

const directoryOf = (files: CaseFiles): string => ('over/kustomization.yaml' in files ? 'over' : '');

/** Renders in memory, without a file system. */
export function renderCase(files: CaseFiles) {
  const absolute = Object.fromEntries(Object.entries(files).map(([path, text]) => [`/case/${path}`, text]));
  return renderKustomization(join('/case', directoryOf(files)), memoryFileSystem(absolute), {
    workingDirectory: '/case',
  });
}

export function ourAnswer(files: CaseFiles): Answer {
  const { objects, diagnostics } = renderCase(files);
  if (diagnostics.some((diagnostic) => diagnostic.severity === 'error')) return { fails: true };
  return { output: formatObjects(objects) };
}

export async function oracleAnswer(files: CaseFiles): Promise<Answer> {
  return (await askOracle(files)).answer;
}

/** With what the oracle says where it fails, in short. */
export async function askOracle(
  files: CaseFiles,
): Promise<{ readonly answer: Answer; readonly error?: string }> {
  const root = mkdtempSync(join(tmpdir(), 'sluice-case-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return await new Promise((resolve) => {
      const options = { maxBuffer: 64 * 1024 * 1024 };
      execFile('kubectl', ['kustomize', join(root, directoryOf(files))], options, (error, stdout, stderr) =>
        resolve(
          error
            ? { answer: { fails: true }, error: shortened(stderr, root) }
            : { answer: { output: stdout } },
        ),
      );
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** The end of the message, where the cause stands, without what differs from run to run. */
function shortened(stderr: string, root: string): string {
  if (stderr.includes('goroutine '))
    return `a crash: ${/^(?:panic|fatal error): (.*)$/m.exec(stderr)?.[1] ?? ''}`;
  const message = stderr.slice(stderr.lastIndexOf('err=') + 4).replaceAll(root, '');
  return message
    .replace(/0x[0-9a-f]+/g, '0x…')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(-160);
}

/** Runs the tasks, two at a time. */
export async function inPairs<Item>(
  items: readonly Item[],
  task: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item);
  };
  await Promise.all([worker(), worker()]);
}
