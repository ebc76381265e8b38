/** Wrong fields of an object, worded as the Kubernetes API server words them. */

import { ApiError, type ApiErrorCause, type ResourceType } from '../../../kubernetes/index.ts';

/** Collects every wrong field of one object. Paths are written as `spec.ports[0].nodePort`. */
export class FieldErrors {
  readonly #causes: ApiErrorCause[] = [];

  get isEmpty(): boolean {
    return this.#causes.length === 0;
  }

  required(field: string, detail = ''): void {
    this.#add('FieldValueRequired', field, `Required value${detail && `: ${detail}`}`);
  }

  invalid(field: string, value: unknown, detail: string): void {
    this.#add('FieldValueInvalid', field, `Invalid value: ${formatValue(value)}: ${detail}`);
  }

  forbidden(field: string, detail: string): void {
    this.#add('FieldValueForbidden', field, `Forbidden: ${detail}`);
  }

  notSupported(field: string, value: unknown, supported: readonly string[]): void {
    const values = supported.toSorted().map((item) => JSON.stringify(item));
    const detail = `supported values: ${values.join(', ')}`;
    this.#add('FieldValueNotSupported', field, `Unsupported value: ${formatValue(value)}: ${detail}`);
  }

  duplicate(field: string, value: unknown): void {
    this.#add('FieldValueDuplicate', field, `Duplicate value: ${formatValue(value)}`);
  }

  notFound(field: string, value: unknown): void {
    this.#add('FieldValueNotFound', field, `Not found: ${formatValue(value)}`);
  }

  tooLong(field: string, maxBytes: number): void {
    this.#add('FieldValueTooLong', field, `Too long: may not be more than ${maxBytes} bytes`);
  }

  #add(reason: string, field: string, message: string): void {
    if (this.#causes.some((cause) => cause.field === field && cause.message === message)) return;
    this.#causes.push({ reason, message, field });
  }

  /** Throws `ApiError` Invalid with all of them, or returns where there are none. */
  throwIfAny(type: ResourceType, name: string): void {
    if (this.isEmpty) return;
    const texts = this.#causes.map(({ field, message }) => `${field}: ${message}`);
    const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
    const kind = type.group ? `${type.kind}.${type.group}` : type.kind;
    throw new ApiError('Invalid', `${kind} "${name}" is invalid: ${text}`, {
      name,
      kind: type.kind,
      ...(type.group ? { group: type.group } : {}),
      causes: [...this.#causes],
    });
  }
}

function formatValue(value: unknown): string {
  return value === undefined ? 'null' : JSON.stringify(value);
}
