/** A kustomization directory in, objects and diagnostics out. */

import type { Diagnostic, SourcePosition } from '../diagnostics/index.ts';
import type { FileSystem } from '../files/index.ts';
import type { KubeObject } from '../kubernetes/index.ts';
import type { YamlNode } from '../yaml/index.ts';
import { renderOnce } from './render.ts';

export interface RenderedObject {
  readonly value: KubeObject;
  /** The object's own first line in the file that declares it. */
  readonly position: SourcePosition;
  /** Where the value at this path was last set, or the nearest enclosing place that is known. */
  locate(path: readonly (string | number)[]): SourcePosition;
  /** The object as kustomize prints it: one YAML document, without `---`. */
  readonly text: string;
  /** The object as nodes, with the way each value was written. */
  readonly node: YamlNode;
}

export interface RenderResult {
  /** In the order of the output. Empty when `diagnostics` has errors. */
  readonly objects: readonly RenderedObject[];
  readonly diagnostics: readonly Diagnostic[];
  /** Every file the result depends on, as absolute paths; for a watcher. Filled on failure too. */
  readonly filesRead: readonly string[];
}

export interface RenderOptions {
  /** Positions name files relative to this directory; without it by their absolute paths. */
  readonly workingDirectory?: string;
  /** Keep every setting of every value, for `explain`. */
  readonly explain?: boolean;
}

export type RenderKustomization = (
  directory: string,
  files: FileSystem,
  options?: RenderOptions,
) => RenderResult;

/** Renders the kustomization of a directory, as an absolute path. Never throws for what the user wrote. */
export const renderKustomization: RenderKustomization = (directory, files, options) =>
  renderOnce(directory, files, options);

/** The exact text that `kubectl kustomize` prints for these objects. */
export function formatObjects(objects: readonly RenderedObject[]): string {
  return objects.map((object) => object.text).join('---\n');
}

export { explainField, type FieldSetting, findObjects, nearestField } from './explain/explain.ts';
export { createRenderer, type Renderer } from './render.ts';
