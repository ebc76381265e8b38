import type { KubeObject } from '../../../kubernetes/index.ts';
import type { PrinterColumn } from '../tables/index.ts';
import { type Node, object } from './schema-words.ts';

export interface DefinitionOptions {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural?: string;
  readonly description: string;
  readonly spec: Node;
  readonly status?: Node;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly scope?: 'Namespaced' | 'Cluster';
  readonly columns?: readonly PrinterColumn[];
  /** Whether the status is written apart from the rest. */
  readonly statusSubresource?: boolean;
  readonly more?: Record<string, Node>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A CustomResourceDefinition of one version. */
export function definition(options: DefinitionOptions): KubeObject {
  const { group, version, kind, description, scope = 'Namespaced' } = options;
  const plural = options.plural ?? `${kind.toLowerCase()}s`;
  const { shortNames, categories, columns, statusSubresource, annotations } = options;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, ...(annotations && { annotations: { ...annotations } }) },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames && { shortNames }),
        ...(categories && { categories }),
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: wholeSchema(options, description) },
          ...(columns && { additionalPrinterColumns: columns }),
          ...(statusSubresource && { subresources: { status: {} } }),
        },
      ],
    },
  };
}

function wholeSchema({ spec, status, more }: DefinitionOptions, description: string): Node {
  return object(
    {
      apiVersion: { type: 'string', description: 'The group and version that this object is written for.' },
      kind: { type: 'string', description: 'What sort of object this is.' },
      'metadata!': { type: 'object' },
      'spec!': spec,
      ...(status && { status }),
      ...more,
    },
    description,
  );
}
