/** `sluice build DIR…`: what `kubectl kustomize` prints, with diagnostics beside it. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Diagnostic, DiagnosticError, hasErrors } from '../diagnostics/index.ts';
import type { RenderedObject, RenderResult } from '../kustomize/index.ts';
import { choice } from './option-values.ts';
import { noteDiagnostics, print } from './output.ts';
import { shortWork } from './short-work.ts';

interface BuildOptions {
  readonly output: string;
  readonly strict?: boolean;
  readonly explain?: string;
}

export function registerBuild(program: Command): void {
  program
    .command('build')
    .description('Print the objects of kustomization directories, as kubectl kustomize does.')
    .argument('<directory...>', 'directories that hold a kustomization.yaml')
    .addOption(
      choice('-o, --output <format>', 'how to write diagnostics to stderr', ['text', 'json'], 'text'),
    )
    .option('--strict', 'exit 1 where there is a warning')
    .option('--explain <kind/name:path>', 'tell where a field comes from, instead of printing objects')
    .action(async (directories: readonly string[], options: BuildOptions) => {
      process.exitCode = await build(directories, options);
    });
}

async function build(directories: readonly string[], options: BuildOptions): Promise<number> {
  const results = await renderAll(directories, options.explain !== undefined);
  const diagnostics = results.flatMap((result) => result.diagnostics);
  writeDiagnostics(diagnostics, options.output);
  if (hasErrors(diagnostics)) return 2;
  const objects = results.flatMap((result) => result.objects);
  if (options.explain === undefined) {
    const { formatObjects } = await import('../kustomize/index.ts');
    process.stdout.write(formatObjects(objects));
  } else await explain(objects, options.explain);
  const hasFindings = diagnostics.some((diagnostic) => diagnostic.severity === 'warning');
  return options.strict && hasFindings ? 1 : 0;
}

async function renderAll(directories: readonly string[], explains: boolean): Promise<RenderResult[]> {
  const { createRenderer, renderKustomization } = await import('../kustomize/index.ts');
  const { diskFileSystem } = await import('../files/index.ts');
  const options = { workingDirectory: process.cwd(), explain: explains };
  const paths = directories.map((directory) => resolve(directory));
  return shortWork(() => {
    if (paths.length === 1) return paths.map((path) => renderKustomization(path, diskFileSystem, options));
    // Several overlays share the bases they have in common.
    const renderer = createRenderer(diskFileSystem, options);
    return paths.map((path) => renderer.render(path));
  });
}

function writeDiagnostics(diagnostics: readonly Diagnostic[], format: string): void {
  if (format === 'json') process.stderr.write(`${JSON.stringify(diagnostics, undefined, 2)}\n`);
  else noteDiagnostics(diagnostics);
}

async function explain(objects: readonly RenderedObject[], question: string): Promise<void> {
  const { explainField, findObjects, nearestField } = await import('../kustomize/index.ts');
  const cut = question.indexOf(':');
  const [reference, path] = cut < 0 ? [question, ''] : [question.slice(0, cut), question.slice(cut + 1)];
  const found = findObjects(objects, reference);
  if (found.length === 0 || path === '') throw unknownObject(objects, reference, path);
  for (const object of found) {
    const settings = explainField(object, path);
    if (settings.length === 0) {
      throw unusable(`${reference} has no field ${path}`, `Did you mean ${nearestField(object, path)}?`);
    }
    const { kind, metadata } = object.value;
    const name = `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`;
    const last = settings.at(-1)?.text;
    print(`${name} ${path}${last === undefined ? '' : ` = ${last}`}`);
    for (const { by, position, text } of settings) {
      const place = `${position.file}:${position.line}:${position.column}`;
      print(`  ${place}  ${by}${text === undefined ? '' : `  ${text}`}`);
    }
  }
}

function unknownObject(objects: readonly RenderedObject[], reference: string, path: string): DiagnosticError {
  if (path === '')
    return unusable(
      `${reference} names no field`,
      'Write KIND/NAME:PATH, such as deployment/web:spec.replicas.',
    );
  const names = objects.map(({ value }) => `${value.kind.toLowerCase()}/${value.metadata.name}`);
  return unusable(`there is no object ${reference}`, `There are ${names.slice(0, 8).join(', ')}.`);
}

const unusable = (message: string, hint: string): DiagnosticError =>
  new DiagnosticError([{ code: 'SL1018', severity: 'error', message, hint }]);
