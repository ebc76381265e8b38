/** Which form of an answer a client accepts. */

export interface AcceptedForm {
  /** `Table`, `PartialObjectMetadata`, `PartialObjectMetadataList`, `APIGroupDiscoveryList`; undefined: the object as it is. */
  readonly as: string | undefined;
  readonly group: string | undefined;
  readonly version: string | undefined;
}

const plain: AcceptedForm = { as: undefined, group: undefined, version: undefined };

/**
 * The first form, in the client's order, that is JSON: protobuf and CBOR are passed over, as the client then always
 * names JSON too. Undefined: the client accepts no JSON at all (406).
 */
export function acceptedForm(accept: string | undefined, known: readonly string[]): AcceptedForm | undefined {
  if (accept === undefined || accept.trim() === '') return plain;
  for (const part of accept.split(',')) {
    const [mediaType = '', ...parameters] = part.split(';').map((word) => word.trim());
    if (!['application/json', 'application/*', '*/*', 'application/yaml'].includes(mediaType)) continue;
    const parameter = (name: string) =>
      parameters.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
    const as = parameter('as');
    if (as === undefined) return plain;
    if (known.includes(as)) return { as, group: parameter('g'), version: parameter('v') };
  }
  return undefined;
}
