/** Request bodies: read within the limit, then decoded by their media type. */

import type { IncomingMessage } from 'node:http';
import { parseDocument, parse as parseYaml } from 'yaml';
import { ApiError, type Schema } from '../../kubernetes/index.ts';
import { duplicateFields } from './json-text.ts';
import { decodeProtobuf } from './protobuf.ts';
import { badRequest } from './status.ts';
import { isTooDeep } from './yaml-depth.ts';

export interface Body {
  readonly value: unknown;
  /** Fields that the text gives twice. */
  readonly duplicates: readonly string[];
}

/** Throws RequestEntityTooLarge. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${maxBytes}`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function mediaTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';
}

const objectMediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** Throws UnsupportedMediaType. */
export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  return new ApiError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

/** An object's body. `schemaOf` gives the schema of a protobuf message by its apiVersion and kind. */
export function decodeObjectBody(
  bytes: Buffer,
  mediaType: string,
  schemaOf: (apiVersion: string, kind: string) => Schema | undefined,
): Body {
  switch (mediaType) {
    case 'application/json':
      return decodeJson(bytes);
    case 'application/yaml':
      return decodeYaml(bytes);
    case 'application/vnd.kubernetes.protobuf':
      return { value: decodeProtobuf(bytes, schemaOf), duplicates: [] };
    default:
      throw unsupportedMediaType(objectMediaTypes);
  }
}

/** Throws BadRequest. */
export function decodeJson(bytes: Buffer): Body {
  const text = bytes.toString('utf8');
  try {
    return { value: JSON.parse(text) as unknown, duplicates: duplicateFields(text) };
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
}

/** JSON too, which is YAML. Throws BadRequest. */
export function decodeYaml(bytes: Buffer): Body {
  const text = bytes.toString('utf8');
  if (text.trimStart().startsWith('{')) {
    try {
      return { value: JSON.parse(text) as unknown, duplicates: duplicateFields(text) };
    } catch {
      // A flow mapping, perhaps.
    }
  }
  if (isTooDeep(text)) throw badRequest('error decoding YAML: exceeded max depth');
  try {
    const value = parseYaml(text, { uniqueKeys: false, maxAliasCount: 100, logLevel: 'error' }) as unknown;
    const duplicates = parseDocument(text, { logLevel: 'error' }).errors.filter(
      ({ code }) => code === 'DUPLICATE_KEY',
    );
    return { value, duplicates: duplicates.map(({ pos }) => text.slice(pos[0], pos[1])) };
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message}`);
  }
}
