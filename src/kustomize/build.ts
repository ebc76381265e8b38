/** What one render carries through all its kustomizations. */

import type { Diagnostic } from '../diagnostics/index.ts';
import type { ProjectFiles } from './read/project-files.ts';
import type { SchemaLookup } from './transform/merge-schema.ts';
import { type Recorder, recorderFor } from './transform/set-value.ts';

export interface Build {
  readonly files: ProjectFiles;
  readonly diagnostics: Diagnostic[];
  /** Remember every setting of every value. */
  readonly explains: boolean;
  /**
   * How lists are merged. The first `openapi` of a render speaks for all of it. It takes the place of what kustomize knows, unless
   * kustomize has had to look that up before: then it comes on top.
   */
  readonly schemas: { lookup: SchemaLookup; isSet: boolean; wasUsed: boolean };
  /** What `buildMetadata` of the rendered kustomization asks for. */
  readonly metadata: ReadonlySet<string>;
  /** Called with every path that was looked at. */
  readonly onRead: (this: void, path: string) => void;
}

export const recorderOf = (build: Build, by: string): Recorder => recorderFor(by, build.explains);
