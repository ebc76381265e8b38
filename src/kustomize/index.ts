/** A kustomization directory in, objects and diagnostics out. */

import type { Diagnostic, SourcePosition } from '../diagnostics/index.ts';
import type { FileSystem } from '../files/index.ts';
import type { KubeObject } from '../kubernetes/index.ts';

export interface RenderedObject {
  readonly value: KubeObject;
  /** The object's own first line in the file that declares it. */
  readonly position: SourcePosition;
  /** Where the value at this path was last set, or the nearest enclosing place that is known. */
  locate(path: readonly (string | number)[]): SourcePosition;
}

export interface RenderResult {
  /** In the order of the output. Empty when `diagnostics` has errors. */
  readonly objects: readonly RenderedObject[];
  readonly diagnostics: readonly Diagnostic[];
  /** Every file the result depends on, as absolute paths; for a watcher. Filled on failure too. */
  readonly filesRead: readonly string[];
}

export type RenderKustomization = (directory: string, files: FileSystem) => RenderResult;
