/** YAML read as values that remember where each of them was written. */

import type { Node, Scalar } from 'yaml';
import type { Diagnostic, SourcePosition } from '../diagnostics/index.ts';

export type YamlPath = readonly (string | number)[];

export interface LocatedDocument {
  readonly value: unknown;
  /** Where the value at this path stands, or the nearest enclosing value that exists. */
  locate(path: YamlPath): SourcePosition;
  /**
   * The YAML written inside a block scalar (`values: |`), read with positions of the outer file; undefined where the
   * path holds no string.
   */
  embedded(path: YamlPath): ReadYaml | undefined;
}

export interface ReadYaml {
  readonly documents: readonly LocatedDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Added to every line and column: where an embedded text begins in its file. */
interface Offset {
  readonly lines: number;
  readonly columns: number;
}

/** Loaded at its first use: loading it takes longer than rendering a small kustomization, which does without it. */
const yamlLibrary = (): typeof import('yaml') => {
  const { createRequire } = process.getBuiltinModule('node:module');
  library ??= createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return library;
};
let library: typeof import('yaml') | undefined;

/** Aliases may expand to this many nodes: a "billion laughs" file is refused instead of filling the memory. */
const maxAliasCount = 100;

/** Reads every document of a text. Empty documents are left out. Never throws: what is wrong is in `diagnostics`. */
export function readLocatedYaml(
  text: string,
  file: string,
  offset: Offset = { lines: 0, columns: 0 },
): ReadYaml {
  const { LineCounter, parseAllDocuments } = yamlLibrary();
  const lines = new LineCounter();
  const positionAt = (index: number): SourcePosition => {
    const { line, col } = lines.linePos(index);
    return { file, line: line + offset.lines, column: col + offset.columns };
  };
  const documents: LocatedDocument[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const document of parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })) {
    const problem = document.errors[0];
    if (problem) {
      diagnostics.push(syntaxError(problem.message, positionAt(problem.pos[0])));
      continue;
    }
    if (document.contents === null) continue;
    try {
      const value: unknown = document.toJS({ maxAliasCount });
      documents.push(locatedDocument(document.contents, value, text, file, offset, positionAt));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      diagnostics.push(syntaxError(message, positionAt(document.range[0])));
    }
  }
  return { documents, diagnostics };
}

function syntaxError(message: string, position: SourcePosition): Diagnostic {
  return { code: 'SL1002', severity: 'error', message: `this is not valid YAML: ${message}`, position };
}

function locatedDocument(
  root: Node,
  value: unknown,
  text: string,
  file: string,
  offset: Offset,
  positionAt: (index: number) => SourcePosition,
): LocatedDocument {
  return {
    value,
    locate: (path) => positionAt(nodeAlong(root, path).node.range?.[0] ?? 0),
    embedded(path) {
      const { isScalar } = yamlLibrary();
      const { node, complete } = nodeAlong(root, path);
      if (!complete || !isScalar(node) || typeof node.value !== 'string') return undefined;
      return readLocatedYaml(node.value, file, embeddedOffset(node, text, offset, positionAt));
    },
  };
}

/** Follows the path as far as it goes. */
function nodeAlong(root: Node, path: YamlPath): { node: Node; complete: boolean } {
  const { isMap, isNode, isSeq } = yamlLibrary();
  let node = root;
  for (const step of path) {
    if (!isMap(node) && !isSeq(node)) return { node, complete: false };
    const next = node.get(step, true);
    if (!isNode(next)) return { node, complete: false };
    node = next;
  }
  return { node, complete: true };
}

/** A block scalar's text starts on the line after its header, at the indentation of its first line that has any. */
function embeddedOffset(
  node: Scalar,
  text: string,
  offset: Offset,
  positionAt: (index: number) => SourcePosition,
): Offset {
  const start = positionAt(node.range?.[0] ?? 0);
  if (node.type !== 'BLOCK_LITERAL' && node.type !== 'BLOCK_FOLDED') {
    return { lines: start.line - 1, columns: start.column };
  }
  const body = text.slice(text.indexOf('\n', node.range?.[0] ?? 0) + 1);
  const indent = /^(?:[ ]*\n)*([ ]*)/.exec(body)?.[1]?.length ?? 0;
  return { lines: start.line, columns: indent + offset.columns };
}
