/** From a file's text to the objects in it. Source: kyaml/kio ByteReader and api/resource Factory of kustomize 5.5. */

import {
  cloneNode,
  composeDocument,
  fieldOf,
  isNullNode,
  type MapNode,
  type Origin,
  refuseForbiddenCharacters,
  type SourceText,
  textOf,
  type YamlNode,
  YamlSyntaxError,
} from '../../yaml/index.ts';
import { jsonStyle } from '../json-style.ts';
import { refuse } from '../problem.ts';
import { Resource } from '../resource.ts';
import type { ProjectFiles, ReadFile } from './project-files.ts';

/** The objects of a file, fresh copies every time. Throws `KustomizeProblem`. */
export function readResources(file: ReadFile, files: ProjectFiles, at: Origin | undefined): Resource[] {
  const parse = () => readObjects(sourceOf(file, files, at));
  if (!files.keepsParsed) return parse().map((node) => new Resource(node));
  return files.parsed(file, 'resources', parse).map((node) => new Resource(cloneNode(node)));
}

/** The text of a file; bytes that are no text are refused. */
export function sourceOf(file: ReadFile, files: ProjectFiles, at: Origin | undefined): SourceText {
  if (!file.source) refuse('SL1002', `${files.displayName(file.path)} is not UTF-8 text`, at);
  return file.source;
}

/** The objects of a text, lists of objects taken apart. Throws `KustomizeProblem`. */
export function readObjects(source: SourceText): MapNode[] {
  const documents = readDocuments(source);
  const roots = documents.length === 1 ? unwrapList(documents[0]) : documents;
  const objects: MapNode[] = [];
  for (const root of roots) if (root && !isEmpty(root)) objects.push(checkedObject(root));
  return objects.some(isList) ? inlineLists(objects) : objects;
}

/** The first document of each part of the text; undefined for a part that is empty. Throws `KustomizeProblem`. */
export function readDocuments(source: SourceText): (YamlNode | undefined)[] {
  return parseOrRefuse(source, () => {
    refuseForbiddenCharacters(source.text);
    const parts = splitDocuments(source.text);
    return parts.map(([start, end]) => composeDocument(source, start, end));
  });
}

export function parseOrRefuse<Result>(source: SourceText, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    return refuse('SL1002', `this is not valid YAML: ${error.message}`, { source, offset: error.offset });
  }
}

/** kustomize cuts the text at lines that start with `---` and reads one document of each piece. */
function splitDocuments(text: string): [start: number, end: number][] {
  const parts: [number, number][] = [];
  let start = 0;
  if (text.includes('\n---')) {
    for (const match of text.matchAll(/\n---([^\n]*)\n/g)) {
      const rest = (match[1] ?? '').trim();
      if (rest !== '' && !rest.startsWith('#')) {
        throw new YamlSyntaxError(`invalid document separator: ---${match[1]}`, match.index + 1);
      }
      parts.push([start, match.index + 1]);
      start = match.index + match[0].length;
    }
  }
  parts.push([start, text.length]);
  return parts;
}

function isEmpty(node: YamlNode): boolean {
  if (node.kind === 'map') return node.entries.length === 0;
  if (node.kind === 'sequence') return node.items.length === 0;
  return isNullNode(node);
}

/** A file that is one `List` stands for its items. */
function unwrapList(root: YamlNode | undefined): (YamlNode | undefined)[] {
  const kind = textOf(fieldOf(root, 'kind'));
  if (kind !== 'List' && kind !== 'ResourceList') return [root];
  const items = fieldOf(root, 'items');
  if (!items && !fieldOf(root, 'functionConfig')) return [root];
  return items?.kind === 'sequence' ? items.items : [];
}

function checkedObject(node: YamlNode): MapNode {
  const kind = textOf(fieldOf(node, 'kind'));
  if (node.kind !== 'map') {
    refuse('SL1008', 'this document is not an object', node, {
      hint: 'An object needs apiVersion, kind and metadata.name.',
    });
  }
  const name = fieldOf(fieldOf(node, 'metadata'), 'name');
  if (kind === '') {
    refuse('SL1008', 'this object has no kind', node, { hint: 'Add apiVersion and kind.' });
  }
  if (!kind.endsWith('List') && (!name || isNullNode(name) || textOf(name) === '')) {
    refuse('SL1008', `this ${kind} has no name`, node, { hint: 'Add metadata.name.' });
  }
  return node;
}

const isList = (object: MapNode): boolean => textOf(fieldOf(object, 'kind')).endsWith('List');

/** The items of a `FooList` come after everything else of the file. */
function inlineLists(objects: readonly MapNode[]): MapNode[] {
  const result: MapNode[] = [];
  const queue = [...objects];
  for (let index = 0; index < queue.length; index++) {
    const object = queue[index]!;
    const items = isList(object) ? fieldOf(object, 'items') : undefined;
    if (!items) {
      result.push(object);
      continue;
    }
    if (isNullNode(items)) continue;
    if (items.kind !== 'sequence') {
      refuse('SL1008', `the items of this ${textOf(fieldOf(object, 'kind'))} are no list`, items);
    }
    for (const item of items.items) if (!isEmpty(item)) queue.push(checkedObject(jsonStyle(item, true)));
  }
  return result;
}
