/**
 * Which lists a strategic merge patch merges, and by which fields their items are the same. Everything not named here is
 * replaced whole. Source: x-kubernetes-patch-merge-key and x-kubernetes-list-map-keys of the API description of Kubernetes 1.21.2.
 */

import { isBuiltIn } from '../built-in-kinds.ts';

export interface Schema {
  /** For a list that is merged: the fields that identify an item; none for a set of plain values. */
  readonly mergeKeys?: readonly string[];
  readonly items?: Schema;
  readonly fields?: Readonly<Record<string, Schema>>;
}

/** What is known about a kind's lists; nothing for a kind that is not known. */
export type SchemaLookup = (this: void, apiVersion: string, kind: string) => Schema | undefined;

const anything: Schema = {};
const listBy = (keys: string, items: Schema = anything): Schema => ({
  mergeKeys: keys === '' ? [] : keys.split(','),
  items,
});
const within = (path: string, schema: Schema): Schema =>
  path
    .split('.')
    .reverse()
    .reduce((inner, field) => ({ fields: { [field]: inner } }), schema);
const both = (...schemas: readonly Schema[]): Schema => ({
  fields: Object.assign({}, ...schemas.map((schema) => schema.fields)),
});

const metadata: Schema = { fields: { finalizers: listBy(''), ownerReferences: listBy('uid') } };
const withMetadata: Schema = { fields: { metadata } };
const conditions: Schema = { fields: { conditions: listBy('type') } };

const containerLists = {
  env: listBy('name'),
  volumeDevices: listBy('devicePath'),
  volumeMounts: listBy('mountPath'),
};
const container: Schema = { fields: { ...containerLists, ports: listBy('containerPort,protocol') } };

const podSpec: Schema = {
  fields: {
    containers: listBy('name', container),
    ephemeralContainers: listBy('name', { fields: containerLists }),
    hostAliases: listBy('ip'),
    imagePullSecrets: listBy('name'),
    initContainers: listBy('name', container),
    topologySpreadConstraints: listBy('topologyKey,whenUnsatisfiable'),
    volumes: listBy('name', within('ephemeral.volumeClaimTemplate', withMetadata)),
  },
};
const podTemplate: Schema = { fields: { metadata, spec: podSpec } };
const workload = within('spec.template', podTemplate);
const job: Schema = { fields: { metadata, spec: { fields: { template: podTemplate } } } };
const cronJob = within('spec.jobTemplate', job);
const webhooks: Schema = { fields: { webhooks: listBy('name') } };
const status: Schema = { fields: { status: conditions } };

const byType: Readonly<Record<string, Schema>> = {
  'v1|Pod': both(
    within('spec', podSpec),
    within('status', { fields: { conditions: listBy('type'), podIPs: listBy('ip') } }),
  ),
  'v1|PodTemplate': within('template', podTemplate),
  'v1|ReplicationController': both(workload, status),
  'v1|Service': both(within('spec', { fields: { ports: listBy('port,protocol') } }), status),
  'v1|ServiceAccount': { fields: { secrets: listBy('name') } },
  'v1|Namespace': status,
  'v1|PersistentVolumeClaim': status,
  'v1|ComponentStatus': conditions,
  'v1|Node': both(
    within('spec', { fields: { podCIDRs: listBy('') } }),
    within('status', { fields: { addresses: listBy('type'), conditions: listBy('type') } }),
  ),
  'apps/v1|Deployment': both(workload, status),
  'apps/v1|ReplicaSet': both(workload, status),
  'apps/v1|DaemonSet': both(workload, status),
  'apps/v1|StatefulSet': both(workload, status),
  'batch/v1|Job': both(workload, status),
  'batch/v1|CronJob': cronJob,
  'batch/v1beta1|CronJob': cronJob,
  'policy/v1|PodDisruptionBudget': status,
  'policy/v1beta1|PodDisruptionBudget': status,
  'apiregistration.k8s.io/v1|APIService': status,
  'apiregistration.k8s.io/v1beta1|APIService': status,
  'storage.k8s.io/v1|CSINode': within('spec', { fields: { drivers: listBy('name') } }),
  'storage.k8s.io/v1beta1|CSINode': within('spec', { fields: { drivers: listBy('name') } }),
  'admissionregistration.k8s.io/v1|MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/v1|ValidatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/v1beta1|MutatingWebhookConfiguration': webhooks,
  'admissionregistration.k8s.io/v1beta1|ValidatingWebhookConfiguration': webhooks,
};

const complete = new Map<string, Schema>();

/** What is known about a kind's lists, or undefined for a kind kustomize does not know (every custom resource). */
export const builtInSchemas: SchemaLookup = (apiVersion, kind) => {
  if (!isBuiltIn(apiVersion, kind)) return undefined;
  const key = `${apiVersion}|${kind}`;
  let schema = complete.get(key);
  if (!schema) {
    schema = both(byType[key] ?? anything, withMetadata);
    complete.set(key, schema);
  }
  return schema;
};
