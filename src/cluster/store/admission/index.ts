/** The rules of each built-in kind. */

import {
  type EndpointSlice,
  type KubeObject,
  type Namespace,
  type Node,
  qualifiedResource,
  type ResourceType,
} from '../../../kubernetes/index.ts';
import { equalJson } from '../json.ts';
import type { FieldErrors } from './field-errors.ts';
import type { KindRules } from './kind-rules.ts';
import { labelName, pathSegmentName, subdomainName } from './names.ts';
import { podRules } from './pod.ts';
import { setDefaults } from './pod-spec.ts';
import { serviceRules } from './service.ts';
import { daemonSetRules, deploymentRules, replicaSetRules, statefulSetRules } from './workloads.ts';

const namespaceRules: KindRules<Namespace> = {
  nameRule: labelName,
  applyDefaults(namespace) {
    namespace.metadata.labels = {
      ...namespace.metadata.labels,
      'kubernetes.io/metadata.name': namespace.metadata.name,
    };
  },
  prepareCreate(namespace) {
    namespace.spec = { finalizers: ['kubernetes'] };
    namespace.status = { phase: 'Active' };
  },
};

const nodeRules: KindRules<Node> = {
  applyDefaults(node) {
    node.spec ??= {};
  },
};

/** `immutable: true` is for good: neither the data nor the word itself can be changed. */
function validateImmutable(object: KubeObject, current: KubeObject | undefined, errors: FieldErrors): void {
  if (current?.immutable !== true) return;
  const wording = 'field is immutable when `immutable` is set';
  if (object.immutable !== true) errors.forbidden('immutable', wording);
  for (const field of ['data', 'binaryData']) {
    if (!equalJson(object[field], current[field])) errors.forbidden(field, wording);
  }
}

const configMapRules: KindRules = { validate: validateImmutable };

const secretRules: KindRules = {
  validate(secret, current, errors) {
    if (current && current.type !== secret.type) errors.invalid('type', secret.type, 'field is immutable');
    validateImmutable(secret, current, errors);
  },
  applyDefaults(secret) {
    setDefaults(secret, { type: 'Opaque' });
    const { stringData } = secret;
    if (typeof stringData !== 'object' || stringData === null) return;
    const encoded = Object.entries(stringData).map(([key, text]) => [
      key,
      Buffer.from(String(text)).toString('base64'),
    ]);
    secret.data = { ...(secret.data as object | undefined), ...Object.fromEntries(encoded) };
    delete secret.stringData;
  },
};

const endpointSliceRules: KindRules<EndpointSlice> = {
  countsGenerations: true,
  validate(slice, current, errors) {
    const types = ['FQDN', 'IPv4', 'IPv6'];
    if (!slice.addressType) errors.required('addressType');
    else if (!types.includes(slice.addressType)) {
      errors.notSupported('addressType', slice.addressType, types);
    }
    if (current && current.addressType !== slice.addressType) {
      errors.invalid('addressType', slice.addressType, 'field is immutable');
    }
  },
};

const uncounted: KindRules = {};
const uncountedByPath: KindRules = { nameRule: pathSegmentName };

/** By qualified resource name. Everything else, custom resources among it, counts generations and has no more rules. */
const rulesByResource: Readonly<Record<string, KindRules<never>>> = {
  namespaces: namespaceRules,
  nodes: nodeRules,
  pods: podRules,
  services: serviceRules,
  secrets: secretRules,
  configmaps: configMapRules,
  serviceaccounts: uncounted,
  endpoints: uncounted,
  events: uncounted,
  'leases.coordination.k8s.io': uncounted,
  'deployments.apps': deploymentRules,
  'replicasets.apps': replicaSetRules,
  'daemonsets.apps': daemonSetRules,
  'statefulsets.apps': statefulSetRules,
  'endpointslices.discovery.k8s.io': endpointSliceRules,
  'roles.rbac.authorization.k8s.io': uncountedByPath,
  'rolebindings.rbac.authorization.k8s.io': uncountedByPath,
  'clusterroles.rbac.authorization.k8s.io': uncountedByPath,
  'clusterrolebindings.rbac.authorization.k8s.io': uncountedByPath,
};

const otherRules: KindRules = { countsGenerations: true };

export function kindRulesOf(type: ResourceType): KindRules {
  return (rulesByResource[qualifiedResource(type)] as KindRules | undefined) ?? otherRules;
}

export function nameRuleOf(rules: KindRules) {
  return rules.nameRule ?? subdomainName;
}

export type { KindRules } from './kind-rules.ts';
