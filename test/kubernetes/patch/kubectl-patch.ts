import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

/** How many random patches are shown to kubectl; each costs a process. Set PATCH_CASES for a long run. */
export const patchCases = Number(process.env.PATCH_CASES ?? 6);

export type PatchType = 'json' | 'merge' | 'strategic';

export type Outcome = { result: unknown } | { error: string };

/** What `kubectl patch --local` makes of each object; each object has to have a name of its own. */
export async function kubectlPatch(
  type: PatchType,
  objects: readonly object[],
  patch: unknown,
): Promise<Outcome[]> {
  const together = await runKubectl(type, objects, patch);
  if (together.stderr === '') return splitObjects(together.stdout).map((result) => ({ result }));
  if (objects.length === 1) return [{ error: together.stderr.trim().replace(/^error: /, '') }];
  return Promise.all(
    objects.map(async (object) => (await kubectlPatch(type, [object], patch))[0] as Outcome),
  );
}

async function runKubectl(type: PatchType, objects: readonly object[], patch: unknown) {
  const home = mkdtempSync(join(tmpdir(), 'sluice-patch-'));
  try {
    const file = join(home, 'objects.json');
    writeFileSync(file, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    const flags = ['patch', '--local', '-f', file, '--type', type, '-o', 'json', '-p', JSON.stringify(patch)];
    return await new Promise<{ stdout: string; stderr: string }>((resolve) => {
      execFile('kubectl', flags, { env: { PATH: process.env.PATH, HOME: home } }, (_error, stdout, stderr) =>
        resolve({ stdout, stderr }),
      );
    });
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** kubectl prints one indented JSON object after the other. */
function splitObjects(text: string): unknown[] {
  return text
    .split(/^(?=\{)/m)
    .filter((part) => part.trim() !== '')
    .map((part) => JSON.parse(part) as unknown);
}
