/**
 * One description of an object's shape for everybody: strict validation, strategic merge, field ownership, OpenAPI
 * and the protobuf reader. Built-in kinds come from the tables in builtin/, custom resources from their
 * CustomResourceDefinition.
 */

export type ListType = 'atomic' | 'set' | 'map';

/** A structural schema node, in the words of the OpenAPI schemas that Kubernetes publishes. */
export interface Schema {
  /** The published name of a shared type, as `io.k8s.api.core.v1.Container`. */
  readonly typeName?: string;
  /** Absent where anything may stand. */
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  /** `int32`, `int64`, `double`, `byte` (base64), `date-time`, `int-or-string`, `quantity`. */
  readonly format?: string;
  readonly description?: string;
  /** Of the shared type, where `description` is that of one of its uses. */
  readonly typeDescription?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];

  /** An integer or a string, whatever `type` says. */
  readonly intOrString?: boolean;
  readonly preserveUnknownFields?: boolean;
  readonly embeddedResource?: boolean;
  readonly nullable?: boolean;

  /** How server-side apply sees a list: one value (`atomic`), a set of values, or entries told apart by keys. */
  readonly listType?: ListType;
  readonly listMapKeys?: readonly string[];
  /** Server-side apply sees the whole object as one value. */
  readonly atomicMap?: boolean;
  /** Strategic merge patch: a list is merged, and by which key (absent for lists of plain values). */
  readonly mergesLists?: boolean;
  readonly patchMergeKey?: string;
  /** Strategic merge patch: an object is not merged. */
  readonly replacesWhole?: boolean;
  /** Strategic merge patch: `$retainKeys` is honoured and sent. */
  readonly retainsKeys?: boolean;

  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];

  /** Where a protobuf message carries the field, and how. Built-in kinds only. */
  readonly wire?: Wire;
  /** For an object: its fields by protobuf number. */
  readonly wireFields?: ReadonlyMap<number, WireField>;
}

export type WireKind =
  | 'message'
  | 'string'
  | 'bytes'
  | 'varint'
  | 'bool'
  | 'double'
  | 'time'
  | 'quantity'
  | 'intOrString'
  | 'raw'
  | 'strings'
  | 'map';

export interface Wire {
  readonly kind: WireKind;
}

export interface WireField {
  readonly name: string;
  /** The message's fields are fields of the object that holds it. */
  readonly inline: boolean;
  readonly schema: Schema;
}
