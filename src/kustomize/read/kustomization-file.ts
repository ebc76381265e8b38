/** Finding and reading the kustomization file of a directory. */

import { posix } from 'node:path';
import { nearestName } from '../../diagnostics/index.ts';
import {
  composeDocument,
  isNullNode,
  type MapEntry,
  type Origin,
  refuseForbiddenCharacters,
  type YamlNode,
} from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { reportIgnoredWords } from '../diagnose/ignored-words.ts';
import { diagnosticAt, refuse } from '../problem.ts';
import type { DecodeNotes } from './decode.ts';
import { type KustomizationFields, kustomizationFields } from './kustomization.ts';
import type { Loader } from './loader.ts';
import type { ReadFile } from './project-files.ts';
import { parseOrRefuse, sourceOf } from './resource-file.ts';

export const kustomizationFileNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

export interface Kustomization extends KustomizationFields {
  readonly isComponent: boolean;
  readonly fileName: string;
}

/** Reads the kustomization of the loader's directory. Throws `KustomizeProblem`. */
export function readKustomization(loader: Loader, build: Build, at: Origin | undefined): Kustomization {
  const { file, fileName } = findFile(loader, build, at);
  const source = sourceOf(file, build.files, at);
  const root = build.files.parsed(file, 'kustomization', () =>
    parseOrRefuse(source, () => {
      refuseForbiddenCharacters(source.text);
      return composeDocument(source);
    }),
  );
  if (!root || isNullNode(root) || (root.kind === 'map' && root.entries.length === 0)) {
    refuse(
      'SL1007',
      'the kustomization is empty',
      { source, offset: 0 },
      {
        hint: 'Add at least resources: with the files to render.',
      },
    );
  }
  const fields = kustomizationFields(root, '', notesOf(build));
  if (root.kind === 'map' && root.entries.every(saysNothing)) {
    refuse('SL1007', 'the kustomization says nothing but its kind', root, {
      hint: 'Add resources: with the files to render.',
    });
  }
  reportSecondDocument(root, build);
  reportDeprecated(fields, build);
  reportIgnoredWords(fields, build);
  return { ...checked(fields, root), fileName };
}

function saysNothing({ key, value }: MapEntry): boolean {
  if (/^(?:kind|apiversion)$/i.test(key.text)) return true;
  return value.kind === 'scalar' && (isNullNode(value) || value.text === '');
}

function findFile(
  loader: Loader,
  build: Build,
  at: Origin | undefined,
): { file: ReadFile; fileName: string } {
  const found = kustomizationFileNames.filter((name) => loader.kind(name) === 'file');
  const directory = build.files.displayName(loader.root);
  const position = at ?? {
    source: { positionAt: () => ({ file: directory, line: 1, column: 1 }) } as never,
    offset: 0,
  };
  if (found.length === 0) {
    for (const name of kustomizationFileNames) build.onRead(posix.join(loader.root, name));
    refuse('SL1007', `${directory} holds no kustomization.yaml`, position, {
      hint: similarFile(loader, build),
    });
  }
  if (found.length > 1) {
    refuse('SL1007', `${directory} holds ${found.join(' and ')}`, position, { hint: 'Keep one of them.' });
  }
  const fileName = found[0] ?? '';
  return { file: loader.load(fileName, position), fileName };
}

function similarFile(loader: Loader, build: Build): string | undefined {
  const names = build.files.list(loader.root);
  const similar = names.filter((name) => nearestName(name, kustomizationFileNames) !== undefined);
  return similar[0]
    ? `Rename ${similar[0]} to kustomization.yaml.`
    : 'Add a kustomization.yaml, or name another directory.';
}

function notesOf(build: Build): DecodeNotes {
  return {
    duplicate(key) {
      const message = `${key.text} is written twice; only the last one counts`;
      build.diagnostics.push(
        diagnosticAt('warning', 'SL1108', message, key, { hint: 'Merge the two into one.' }),
      );
    },
    otherCase(key, field) {
      const message = `${key.text} is taken for ${field}`;
      build.diagnostics.push(diagnosticAt('warning', 'SL1109', message, key, { hint: `Write ${field}.` }));
    },
  };
}

function reportSecondDocument(root: YamlNode, build: Build): void {
  const match = /\n---[^\n]*\n\s*[^\s#]/.exec(root.source.text.slice(root.offset));
  if (!match) return;
  const at = { source: root.source, offset: root.offset + match.index + 1 };
  const message = 'only the first document of a kustomization file counts; this one is ignored';
  build.diagnostics.push(
    diagnosticAt('warning', 'SL1115', message, at, { hint: 'Remove it, or merge it into the first.' }),
  );
}

const deprecated = {
  bases: 'resources',
  commonLabels: 'labels',
  imageTags: 'images',
  patchesJson6902: 'patches',
  patchesStrategicMerge: 'patches',
  vars: 'replacements',
} as const;

function reportDeprecated(fields: KustomizationFields, build: Build): void {
  for (const { key } of fields.node.entries) {
    const instead = deprecated[key.text as keyof typeof deprecated];
    if (!instead) continue;
    build.diagnostics.push(
      diagnosticAt('info', 'SL1114', `${key.text} is deprecated`, key, { hint: `Use ${instead} instead.` }),
    );
  }
}

function checked(fields: KustomizationFields, root: YamlNode): Omit<Kustomization, 'fileName'> {
  const kind = fields.kind?.value || 'Kustomization';
  const isComponent = kind === 'Component';
  if (!isComponent && kind !== 'Kustomization') {
    refuse('SL1004', `the kind is ${kind}`, fields.kind?.node ?? root, {
      hint: 'It must be Kustomization or Component.',
    });
  }
  const version = `kustomize.config.k8s.io/${isComponent ? 'v1alpha1' : 'v1beta1'}`;
  if (fields.apiVersion?.value && fields.apiVersion.value !== version) {
    refuse('SL1004', `the apiVersion is ${fields.apiVersion.value}`, fields.apiVersion.node, {
      hint: `For a ${kind} it must be ${version}.`,
    });
  }
  return { ...fields, isComponent };
}
