import type { KubeObject } from '../../../kubernetes/index.ts';
import type { FieldErrors } from './field-errors.ts';
import type { NameRule } from './names.ts';

/** What the API server does to one kind beyond what it does to all. Drafts are the callee's to change. */
export interface KindRules<Kind extends KubeObject = KubeObject> {
  /** Default: a DNS subdomain. */
  readonly nameRule?: NameRule;
  /** Whether `metadata.generation` counts the changes of what its user wants. */
  readonly countsGenerations?: boolean;
  /** The fields the server fills in where the user left them out. */
  applyDefaults?(draft: Kind): void;
  /** After the defaults of a create: what the server decides for a new object, its first status for instance. */
  prepareCreate?(draft: Kind): void;
  /** After the defaults of an update: what is carried over from the present object. `now` is a timestamp. */
  prepareUpdate?(draft: Kind, current: Kind, now: string): void;
  /** `current` is absent for a create. */
  validate?(object: Kind, current: Kind | undefined, errors: FieldErrors): void;
}
