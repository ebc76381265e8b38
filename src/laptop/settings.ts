/** sluice.yaml: what the laptop needs to know and the tree does not say. */

import { join, relative } from 'node:path';
import * as v from 'valibot';
import type { ImageProgram } from '../cluster/index.ts';
import { type Diagnostic, nearestName } from '../diagnostics/index.ts';
import type { FileSystem } from '../files/index.ts';
import { type LocatedDocument, readLocatedYaml } from '../yaml/index.ts';
import type { MissingProgram } from './left-out.ts';
import { settingsFile } from './tree.ts';

const imageSchema = v.strictObject({
  command: v.pipe(v.array(v.string()), v.minLength(1)),
  workingDir: v.optional(v.string()),
  env: v.optional(v.record(v.string(), v.string())),
  /** Where the program is not on this machine, what runs it is left out, and nothing else fails. */
  optional: v.optional(v.boolean()),
  /** The command that installs the program. */
  install: v.optional(v.string()),
});

const settingsSchema = v.strictObject({
  images: v.optional(v.record(v.string(), imageSchema), {}),
});

type WrittenImage = v.InferOutput<typeof imageSchema>;

export interface Settings {
  /** By image name, with or without a tag. Relative working directories are those of the tree's root. */
  readonly images: Readonly<Record<string, ImageProgram>>;
  /** Optional programs that are not on this machine. Each has a warning (SL2009) too. */
  readonly missing: readonly MissingProgram[];
  readonly filesRead: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads `sluice.yaml` at the tree's root. None is the same as an empty one. */
export function readSettings(
  root: string,
  files: FileSystem,
  workingDirectory: string,
  hasProgram: (program: string) => boolean = () => true,
): Settings {
  const path = join(root, settingsFile);
  if (files.kind(path) !== 'file') return { ...nothing, filesRead: [], diagnostics: [] };
  const file = relative(workingDirectory, path);
  const { documents, diagnostics } = readLocatedYaml(new TextDecoder().decode(files.read(path)), file);
  const [document] = documents;
  const filesRead = [path];
  if (!document) return { ...nothing, filesRead, diagnostics };
  const parsed = v.safeParse(settingsSchema, document.value);
  if (!parsed.success) {
    return {
      ...nothing,
      filesRead,
      diagnostics: parsed.issues.map((issue) => settingsDiagnostic(issue, document)),
    };
  }
  const missing = missingPrograms(parsed.output.images, hasProgram);
  return {
    images: inRoot(parsed.output.images, root),
    missing,
    filesRead,
    diagnostics: [...diagnostics, ...missing.map((one) => missingDiagnostic(one, document))],
  };
}

const nothing = { images: {}, missing: [] } as const;

function missingPrograms(
  images: Record<string, WrittenImage>,
  hasProgram: (program: string) => boolean,
): MissingProgram[] {
  return Object.entries(images).flatMap(([image, { command, optional, install }]) => {
    const [program = ''] = command;
    return optional && !hasProgram(program) ? [{ image, program, install }] : [];
  });
}

function missingDiagnostic(
  { image, program, install }: MissingProgram,
  document: LocatedDocument,
): Diagnostic {
  return {
    code: 'SL2009',
    severity: 'warning',
    message: `${program} is not on this machine: what runs ${image} is left out`,
    position: document.locate(['images', image, 'command']),
    ...(install ? { hint: `Install it: \`${install}\`.` } : {}),
  };
}

function inRoot(images: Record<string, WrittenImage>, root: string): Record<string, ImageProgram> {
  const entries = Object.entries(images).map(
    ([name, { command, workingDir = '.', env }]): [string, ImageProgram] => [
      name,
      { command, workingDir: join(root, workingDir), ...(env ? { env } : {}) },
    ],
  );
  return Object.fromEntries(entries);
}

function settingsDiagnostic(issue: v.BaseIssue<unknown>, document: LocatedDocument): Diagnostic {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const position = document.locate(path);
  const place = path.join('.') || 'its root';
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const key = String(path.at(-1));
    const known = path.length === 1 ? Object.keys(settingsSchema.entries) : Object.keys(imageSchema.entries);
    const meant = nearestName(key, known);
    const hint = meant ? `Did you mean \`${meant}\`?` : `It may hold: ${known.join(', ')}.`;
    return { code: 'SL2006', severity: 'error', message: `unknown field ${place}`, position, hint };
  }
  const message = `${place}: expected ${issue.expected}, found ${issue.received}`;
  const hint = 'An image is mapped as `images: { name: { command: [program, argument] } }`.';
  return { code: 'SL2006', severity: 'error', message, position, hint };
}
