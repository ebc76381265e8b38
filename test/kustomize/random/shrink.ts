/** From a tree that shows a difference to a smallest one that still does, by leaving out one part after the other. */

import { type Document, isCollection, isMap, isScalar, isSeq, type Node, parseAllDocuments } from 'yaml';
import type { CaseFiles } from '../cases/shared.ts';
import type { Answer } from '../oracle.ts';

/** How two answers differ, so that shrinking does not wander off to another difference; undefined where they do not. */
export function difference(ours: Answer, theirs: Answer): string | undefined {
  if ('fails' in ours) return 'fails' in theirs ? undefined : 'sluice fails';
  if ('fails' in theirs) return 'kubectl kustomize fails';
  return ours.output === theirs.output ? undefined : 'other bytes';
}

export interface Shrunk {
  readonly files: CaseFiles;
  /** Trees that were tried. */
  readonly tries: number;
  /** Whether no single part can be left out any more; else the tries were used up. */
  readonly isMinimal: boolean;
}

/** Leaves out files, documents, fields and list items (of what is no YAML: lines) as long as `differs` holds. */
export async function shrink(
  files: CaseFiles,
  differs: (files: CaseFiles) => Promise<boolean>,
  maxTries = 1000,
): Promise<Shrunk> {
  let current = files;
  let tries = 0;
  const seen = new Set([JSON.stringify(files)]);
  for (let goesOn = true; goesOn; ) {
    goesOn = false;
    for (const smaller of smallerTrees(current)) {
      const key = JSON.stringify(smaller);
      if (seen.has(key)) continue;
      if (tries >= maxTries) return { files: current, tries, isMinimal: false };
      seen.add(key);
      tries++;
      if (!(await differs(smaller))) continue;
      current = smaller;
      goesOn = true;
      break;
    }
  }
  return { files: current, tries, isMinimal: true };
}

/** The tree without one of its parts, for each part, the large ones first. */
export function* smallerTrees(files: CaseFiles): Generator<CaseFiles> {
  const paths = Object.keys(files);
  for (const path of paths) {
    yield Object.fromEntries(Object.entries(files).filter(([other]) => other !== path));
  }
  for (const path of paths) {
    const text = files[path] ?? '';
    for (const smaller of smallerTexts(text)) {
      // Writing a text anew can make it longer; only what is shorter leads to an end.
      if (sizeOf(smaller) < sizeOf(text)) yield { ...files, [path]: smaller };
    }
  }
}

const sizeOf = (text: string): number => text.replace(/\s/g, '').length;

/** A YAML text without a document, field or item; any other text without a line. */
function* smallerTexts(text: string): Generator<string> {
  const count = read(text)?.length ?? 0;
  for (let index = 0; count > 1 && index < count; index++) {
    const documents = read(text) ?? [];
    yield written(documents.filter((_, other) => other !== index));
  }
  for (let index = 0; index < count; index++) yield* smallerDocuments(text, index);
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++)
    yield lines.filter((_, other) => other !== index).join('\n');
}

type Path = readonly number[];

function* smallerDocuments(text: string, index: number): Generator<string> {
  const root = read(text)?.[index]?.contents;
  for (const path of root ? partsOf(root) : []) {
    const documents = read(text) ?? [];
    removeAt(documents[index]?.contents, path);
    yield written(documents);
  }
  for (const path of root ? embeddedTexts(root) : []) {
    const inner = nodeAt(root, path);
    if (!isScalar(inner)) continue;
    for (const smaller of smallerTexts(String(inner.value))) {
      if (smaller.trim() === '') continue;
      const documents = read(text) ?? [];
      const scalar = nodeAt(documents[index]?.contents, path);
      if (isScalar(scalar)) scalar.value = smaller;
      yield written(documents);
    }
  }
}

/** Every scalar is kept as it was written: without types nothing is normalised. Undefined for what is no YAML. */
function read(text: string): Document[] | undefined {
  const documents = parseAllDocuments(text, {
    schema: 'failsafe',
    uniqueKeys: false,
    keepSourceTokens: false,
  });
  if (!Array.isArray(documents) || documents.some((document) => document.errors.length > 0)) return undefined;
  return documents as Document[];
}

const written = (documents: readonly Document[]): string =>
  documents
    .map((document) => document.toString({ lineWidth: 0, flowCollectionPadding: false }))
    .join('---\n');

/** The places of all fields and items, the outer ones first. */
function partsOf(root: Node): Path[] {
  const paths: Path[] = [];
  const queue: { node: unknown; path: Path }[] = [{ node: root, path: [] }];
  for (let next = queue.shift(); next; next = queue.shift()) {
    if (!isCollection(next.node)) continue;
    for (const index of next.node.items.keys()) {
      const path = [...next.path, index];
      paths.push(path);
      queue.push({ node: nodeAt(next.node, [index]), path });
    }
  }
  return paths;
}

/** The places of texts that are YAML themselves, such as inline patches. */
const embeddedTexts = (root: Node): Path[] =>
  partsOf(root).filter((path) => {
    const node = nodeAt(root, path);
    return isScalar(node) && /\n/.test(String(node.value)) && /[:-] /.test(String(node.value));
  });

function nodeAt(root: unknown, path: Path): unknown {
  let node = root;
  for (const index of path) {
    if (isMap(node)) node = node.items[index]?.value;
    else if (isSeq(node)) node = node.items[index];
    else return undefined;
  }
  return node;
}

function removeAt(root: unknown, path: Path): void {
  const holder = nodeAt(root, path.slice(0, -1));
  if (isCollection(holder)) holder.items.splice(path.at(-1) ?? 0, 1);
}

type Render = (files: CaseFiles) => Answer | Promise<Answer>;

/**
 * What to add to test/kustomize/cases for a tree that two renderers answer differently; undefined where they agree. Asks both of them
 * `maxTries` times at most.
 */
export async function shrunkCase(
  name: string,
  files: CaseFiles,
  ours: Render,
  theirs: Render,
  maxTries = 400,
): Promise<string | undefined> {
  const differenceOf = async (tree: CaseFiles) => difference(await ours(tree), await theirs(tree));
  const wanted = await differenceOf(files);
  if (!wanted) return undefined;
  const found = await shrink(files, async (smaller) => (await differenceOf(smaller)) === wanted, maxTries);
  const note = found.isMinimal ? '' : `\n(${found.tries} tries: more may be left out)`;
  return describeCase(name, found.files, await ours(found.files), await theirs(found.files)) + note;
}

/** What to add to test/kustomize/cases, and where the answers part. */
export function describeCase(name: string, files: CaseFiles, ours: Answer, theirs: Answer): string {
  const quoted = (text: string): string => `\`${text.replace(/[\\`]|\$\{/g, '\\$&')}\``;
  const rows = Object.entries(files).map(([path, text]) => `  '${path}': ${quoted(text)},`);
  return [`'${name}': {`, ...rows, '},', firstDifference(ours, theirs)].join('\n');
}

function firstDifference(ours: Answer, theirs: Answer): string {
  const linesOf = (answer: Answer): string[] => ('fails' in answer ? ['(fails)'] : answer.output.split('\n'));
  const [left, right] = [linesOf(ours), linesOf(theirs)];
  const line = right.findIndex((text, index) => text !== left[index]);
  const at = line < 0 ? right.length : line;
  return `line ${at + 1}\n  sluice:  ${left[at] ?? '(ends)'}\n  kubectl: ${right[at] ?? '(ends)'}`;
}
