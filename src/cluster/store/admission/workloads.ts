/** Deployment, ReplicaSet, DaemonSet, StatefulSet: all own pods made from a template. */

import {
  type DaemonSet,
  type Deployment,
  type KubeObject,
  type LabelSelector,
  labelsMatch,
  type PodTemplateSpec,
  type ReplicaSet,
  type StatefulSet,
} from '../../../kubernetes/index.ts';
import { equalJson } from '../json.ts';
import type { FieldErrors } from './field-errors.ts';
import type { KindRules } from './kind-rules.ts';
import { checkLabels } from './names.ts';
import { defaultPodSpec, isRecord, setDefaults, validatePodSpec } from './pod-spec.ts';

interface Workload extends KubeObject {
  spec: { selector: LabelSelector; template: PodTemplateSpec; replicas?: number; [field: string]: unknown };
}

function defaultTemplate({ spec }: Workload): void {
  if (isRecord(spec?.template?.spec)) defaultPodSpec(spec.template.spec);
}

export const deploymentRules: KindRules<Deployment> = {
  countsGenerations: true,
  applyDefaults(deployment) {
    defaultTemplate(deployment);
    setDefaults(deployment.spec, {
      replicas: 1,
      strategy: {},
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    });
    const { strategy = {} } = deployment.spec;
    setDefaults(strategy as Record<string, unknown>, { type: 'RollingUpdate' });
    if (strategy.type !== 'RollingUpdate') return;
    setDefaults(strategy as Record<string, unknown>, { rollingUpdate: {} });
    setDefaults(strategy.rollingUpdate as Record<string, unknown>, {
      maxUnavailable: '25%',
      maxSurge: '25%',
    });
  },
  prepareCreate(deployment) {
    deployment.status = {};
  },
  validate(deployment, current, errors) {
    validateWorkload(deployment, current, errors);
    validateStrategy(deployment, errors);
  },
};

export const replicaSetRules: KindRules<ReplicaSet> = {
  countsGenerations: true,
  applyDefaults(replicaSet) {
    defaultTemplate(replicaSet);
    setDefaults(replicaSet.spec, { replicas: 1 });
  },
  prepareCreate(replicaSet) {
    replicaSet.status = { replicas: 0 };
  },
  validate: validateWorkload,
};

export const daemonSetRules: KindRules<DaemonSet> = {
  countsGenerations: true,
  applyDefaults(daemonSet) {
    defaultTemplate(daemonSet);
    setDefaults(daemonSet.spec, { updateStrategy: {}, revisionHistoryLimit: 10 });
    const { updateStrategy = {} } = daemonSet.spec;
    setDefaults(updateStrategy as Record<string, unknown>, { type: 'RollingUpdate' });
    if (updateStrategy.type !== 'RollingUpdate') return;
    setDefaults(updateStrategy as Record<string, unknown>, { rollingUpdate: {} });
    setDefaults(updateStrategy.rollingUpdate as Record<string, unknown>, { maxUnavailable: 1, maxSurge: 0 });
  },
  prepareCreate(daemonSet) {
    daemonSet.status = {
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    };
  },
  validate: validateWorkload,
};

export const statefulSetRules: KindRules<StatefulSet> = {
  countsGenerations: true,
  applyDefaults(statefulSet) {
    defaultTemplate(statefulSet);
    setDefaults(statefulSet.spec, {
      replicas: 1,
      podManagementPolicy: 'OrderedReady',
      revisionHistoryLimit: 10,
      updateStrategy: {},
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    });
    const { updateStrategy = {} } = statefulSet.spec;
    setDefaults(updateStrategy as Record<string, unknown>, { type: 'RollingUpdate' });
    if (updateStrategy.type !== 'RollingUpdate') return;
    setDefaults(updateStrategy as Record<string, unknown>, { rollingUpdate: {} });
    setDefaults(updateStrategy.rollingUpdate as Record<string, unknown>, { partition: 0 });
  },
  prepareCreate(statefulSet) {
    statefulSet.status = { replicas: 0, availableReplicas: 0 };
  },
  validate(statefulSet, current, errors) {
    validateWorkload(statefulSet, undefined, errors);
    if (current && !equalJson(fixedFields(statefulSet), fixedFields(current))) {
      const fields = changeableFields.map((field) => `'${field}'`);
      const list = `${fields.slice(0, -1).join(', ')} and ${fields.at(-1)}`;
      errors.forbidden('spec', `updates to statefulset spec for fields other than ${list} are forbidden`);
    }
  },
};

const changeableFields = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

function fixedFields({ spec }: StatefulSet): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !changeableFields.includes(field)));
}

function validateWorkload(workload: Workload, current: Workload | undefined, errors: FieldErrors): void {
  const { spec } = workload;
  if (!isRecord(spec)) {
    errors.required('spec');
    return;
  }
  validateSelector(spec.selector, spec.template, errors);
  const replicas = spec.replicas ?? 0;
  if (!Number.isInteger(replicas) || replicas < 0) {
    errors.invalid('spec.replicas', replicas, 'must be greater than or equal to 0');
  }
  if (!isRecord(spec.template?.spec)) errors.required('spec.template.spec');
  else {
    checkLabels(spec.template.metadata?.labels, 'spec.template.labels', errors);
    validatePodSpec(spec.template.spec, 'spec.template.spec', errors);
    const { restartPolicy } = spec.template.spec;
    if (restartPolicy === 'OnFailure' || restartPolicy === 'Never') {
      errors.notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']);
    }
  }
  if (current && !equalJson(spec.selector, current.spec.selector)) {
    errors.invalid('spec.selector', spec.selector, 'field is immutable');
  }
}

function validateSelector(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
  errors: FieldErrors,
): void {
  if (!selector) {
    errors.required('spec.selector');
    return;
  }
  checkLabels(selector.matchLabels, 'spec.selector.matchLabels', errors);
  const isEmpty = !selector.matchExpressions?.length && Object.keys(selector.matchLabels ?? {}).length === 0;
  if (isEmpty) {
    errors.invalid('spec.selector', selector, 'empty selector is invalid for deployment');
  } else if (!labelsMatch(selector, template?.metadata?.labels ?? {})) {
    errors.invalid(
      'spec.template.metadata.labels',
      template?.metadata?.labels ?? null,
      '`selector` does not match template `labels`',
    );
  }
}

function validateStrategy({ spec }: Deployment, errors: FieldErrors): void {
  const strategy = spec?.strategy ?? {};
  if (strategy.type === 'Recreate') {
    if (strategy.rollingUpdate) {
      errors.forbidden(
        'spec.strategy.rollingUpdate',
        "may not be specified when strategy `type` is 'Recreate'",
      );
    }
    return;
  }
  if (strategy.type !== 'RollingUpdate') {
    errors.notSupported('spec.strategy.type', strategy.type, ['Recreate', 'RollingUpdate']);
    return;
  }
  const { maxSurge, maxUnavailable } = strategy.rollingUpdate ?? {};
  for (const [name, value] of Object.entries({ maxSurge, maxUnavailable })) {
    const fine =
      typeof value === 'number' ? Number.isInteger(value) && value >= 0 : /^\d+%$/.test(value ?? '0%');
    if (fine) continue;
    const detail =
      typeof value === 'number'
        ? 'must be greater than or equal to 0'
        : "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
    errors.invalid(`spec.strategy.rollingUpdate.${name}`, value, detail);
  }
  if (isZero(maxSurge) && isZero(maxUnavailable)) {
    errors.invalid(
      'spec.strategy.rollingUpdate.maxUnavailable',
      maxUnavailable,
      'may not be 0 when `maxSurge` is 0',
    );
  }
}

const isZero = (value: number | string | undefined) => Number.parseInt(String(value), 10) === 0;
