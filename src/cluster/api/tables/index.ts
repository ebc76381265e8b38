/** `kubectl get`: objects as rows. */

import { type KubeObject, qualifiedResource, type ResourceType } from '../../../kubernetes/index.ts';
import { type Cell, type Column, nameColumn } from './columns.ts';
import { endpointSliceColumns, endpointsColumns, networkPolicyColumns, serviceColumns } from './network.ts';
import {
  bindingColumns,
  configMapColumns,
  createdAtColumns,
  eventColumns,
  leaseColumns,
  namespaceColumns,
  nodeColumns,
  secretColumns,
  serviceAccountColumns,
} from './other.ts';
import { podColumns } from './pods.ts';
import { storedColumns } from './stored.ts';
import {
  ageColumn,
  daemonSetColumns,
  deploymentColumns,
  replicaSetColumns,
  statefulSetColumns,
} from './workloads.ts';

const columnsByResource: Readonly<Record<string, readonly Column<never>[]>> = {
  pods: podColumns,
  services: serviceColumns,
  endpoints: endpointsColumns,
  nodes: nodeColumns,
  namespaces: namespaceColumns,
  configmaps: configMapColumns,
  secrets: secretColumns,
  serviceaccounts: serviceAccountColumns,
  events: eventColumns,
  'events.events.k8s.io': eventColumns,
  'deployments.apps': deploymentColumns,
  'replicasets.apps': replicaSetColumns,
  'daemonsets.apps': daemonSetColumns,
  'statefulsets.apps': statefulSetColumns,
  'endpointslices.discovery.k8s.io': endpointSliceColumns,
  'networkpolicies.networking.k8s.io': networkPolicyColumns,
  'leases.coordination.k8s.io': leaseColumns,
  'roles.rbac.authorization.k8s.io': createdAtColumns,
  'clusterroles.rbac.authorization.k8s.io': createdAtColumns,
  'rolebindings.rbac.authorization.k8s.io': bindingColumns,
  'clusterrolebindings.rbac.authorization.k8s.io': bindingColumns,
  'customresourcedefinitions.apiextensions.k8s.io': createdAtColumns,
  ...storedColumns,
};

/** The columns of a built-in kind; of any other its name and age. */
export function builtInColumns(type: ResourceType): readonly Column[] {
  const columns = columnsByResource[qualifiedResource(type)] as readonly Column[] | undefined;
  return columns ?? [nameColumn, ageColumn];
}

export interface TableOptions {
  readonly columns: readonly Column[];
  readonly now: Date;
  /** What each row carries of its object. */
  readonly includeObject: 'None' | 'Metadata' | 'Object';
  /** Later events of a watch leave the definitions out. */
  readonly withDefinitions: boolean;
}

export interface TableMetadata {
  readonly resourceVersion?: string | undefined;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

export function makeTable(objects: readonly KubeObject[], metadata: TableMetadata, options: TableOptions) {
  const { columns, now, includeObject } = options;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: options.withDefinitions
      ? columns.map(({ name, type, format = '', description, priority }) => ({
          name,
          type,
          format,
          description,
          priority,
        }))
      : [],
    rows: objects.map((object) => ({
      cells: columns.map((column) => cellOf(column, object, now)),
      ...(includeObject === 'Metadata' && { object: partialMetadata(object) }),
      ...(includeObject === 'Object' && { object }),
    })),
  };
}

/** An object of an odd shape costs its cell, not the list. */
function cellOf(column: Column, object: KubeObject, now: Date): Cell {
  try {
    return column.cell(object, now);
  } catch {
    return '<invalid>';
  }
}

export function partialMetadata(object: KubeObject) {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

export { type Column, nameColumn } from './columns.ts';
export { customColumns, type PrinterColumn } from './custom.ts';
