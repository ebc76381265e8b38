/** get and list. */

import {
  ApiError,
  apiVersionOf,
  fieldPredicate,
  type KubeObject,
  type LabelSelector,
  parseFieldSelector,
  parseLabelSelector,
  SelectorSyntaxError,
} from '../../kubernetes/index.ts';
import type { Page, PageOptions, Selection } from '../store/types.ts';
import type { ApiContext } from './context.ts';
import type { AcceptedForm } from './negotiation.ts';
import { type ResourcePath, readInteger } from './request.ts';
import { badRequest, StatusError } from './status.ts';
import { makeTable, partialMetadata, type TableMetadata, type TableOptions } from './tables/index.ts';
import type { ServedType } from './types/served-type.ts';

export const objectForms = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];

export type IncludeObject = TableOptions['includeObject'];

export function readIncludeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  if (value === '' || value === 'Metadata') return 'Metadata';
  if (value === 'None' || value === 'Object') return value;
  throw badRequest(`Unrecognized value: unknown includeObject value: ${JSON.stringify(value)}`);
}

/** The selectors of a list or watch; `name` is a path's own. Throws BadRequest. */
export function readSelection(query: URLSearchParams, path: ResourcePath, served: ServedType): Selection {
  const labelSelector = readLabelSelector(query.get('labelSelector') ?? '');
  const filter = readFieldSelector(query.get('fieldSelector') ?? '', served, path.name);
  return {
    ...(path.namespace !== undefined && { namespace: path.namespace }),
    ...(labelSelector && { labelSelector }),
    ...(filter && { filter }),
  };
}

function readLabelSelector(text: string): LabelSelector | undefined {
  if (text === '') return undefined;
  try {
    return parseLabelSelector(text);
  } catch (error) {
    if (error instanceof SelectorSyntaxError) throw badRequest(error.message);
    throw error;
  }
}

function readFieldSelector(text: string, served: ServedType, name: string | undefined) {
  if (text === '' && name === undefined) return undefined;
  try {
    const requirements = parseFieldSelector(text);
    for (const { field } of requirements) {
      if (field === 'metadata.name' || (field === 'metadata.namespace' && served.type.namespaced)) continue;
      if (!served.selectableFields.includes(field)) {
        throw badRequest(unsupportedField(served, field));
      }
    }
    const own = name === undefined ? [] : [{ field: 'metadata.name', value: name, negated: false }];
    return fieldPredicate([...requirements, ...own]);
  } catch (error) {
    if (error instanceof SelectorSyntaxError) throw badRequest(error.message);
    throw error;
  }
}

function unsupportedField({ selectableFields, type }: ServedType, field: string): string {
  if (selectableFields.length > 0) return `field label not supported: ${field}`;
  const known = type.namespaced ? '"metadata.name", "metadata.namespace"' : '"metadata.name"';
  return `${JSON.stringify(field)} is not a known field selector: only ${known}`;
}

/** Checks what a client asks of versions. Throws BadRequest, or Timeout for a version that is yet to come. */
function readVersion(query: URLSearchParams, current: string): Pick<PageOptions, 'exactResourceVersion'> {
  const version = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  if (version !== '' && !/^\d+$/.test(version)) {
    throw badRequest(
      `resourceVersion: Invalid value: ${JSON.stringify(version)}: strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`,
    );
  }
  if (match !== '' && version === '') {
    throw badRequest('resourceVersionMatch is forbidden unless resourceVersion is provided');
  }
  if (Number(version) > Number(current)) {
    throw new StatusError(504, 'Timeout', `Too large resource version: ${version}, current: ${current}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
  }
  return match === 'Exact' ? { exactResourceVersion: version } : {};
}

export function listObjects(
  { store }: ApiContext,
  served: ServedType,
  path: ResourcePath,
  query: URLSearchParams,
): Page<KubeObject> {
  const limit = readInteger(query, 'limit');
  const continueToken = query.get('continue') ?? '';
  if (continueToken !== '' && query.get('resourceVersion')) {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  return store.page(served.type, {
    ...readSelection(query, path, served),
    ...readVersion(query, store.resourceVersion),
    ...(limit !== undefined && { limit }),
    ...(continueToken && { continue: continueToken }),
  });
}

/** A list in the form that the client asked for. */
export function presentList(
  context: ApiContext,
  served: ServedType,
  page: Page<KubeObject>,
  form: AcceptedForm,
  query: URLSearchParams,
): unknown {
  const metadata: TableMetadata = {
    resourceVersion: page.resourceVersion,
    continue: page.continue,
    remainingItemCount: page.remainingItemCount,
  };
  if (form.as === 'Table') {
    return makeTable(page.items, metadata, tableOptions(context, served, readIncludeObject(query)));
  }
  if (form.as === 'PartialObjectMetadataList') {
    const items = page.items.map(partialMetadata);
    return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items };
  }
  return { kind: served.listKind, apiVersion: apiVersionOf(served.type), metadata, items: page.items };
}

export function tableOptions(
  context: ApiContext,
  served: ServedType,
  includeObject: IncludeObject,
): TableOptions {
  return { columns: served.columns, now: context.now(), includeObject, withDefinitions: true };
}

/** One object in the form that the client asked for. */
export function presentObject(
  context: ApiContext,
  served: ServedType,
  object: KubeObject,
  form: AcceptedForm,
  query: URLSearchParams,
): unknown {
  if (form.as === 'Table') {
    const metadata = { resourceVersion: object.metadata.resourceVersion };
    return makeTable([object], metadata, tableOptions(context, served, readIncludeObject(query)));
  }
  return form.as === 'PartialObjectMetadata' ? partialMetadata(object) : object;
}

export function getObject({ store }: ApiContext, served: ServedType, path: ResourcePath): KubeObject {
  const { type } = served;
  const object = store.peek(type, path.namespace, path.name ?? '');
  if (object) return object;
  const resource = type.group ? `${type.plural}.${type.group}` : type.plural;
  throw new ApiError('NotFound', `${resource} "${path.name}" not found`, {
    name: path.name ?? '',
    ...(type.group && { group: type.group }),
    kind: type.plural,
  });
}
