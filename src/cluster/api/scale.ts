/** The scale subresource: how many replicas, whatever the kind. */

import {
  formatLabelSelector,
  isObject,
  type JsonObject,
  type KubeObject,
  type LabelSelector,
} from '../../kubernetes/index.ts';
import { badRequest } from './status.ts';
import type { ScalePaths, ServedType } from './types/served-type.ts';

export function scaleOf(object: KubeObject, { scale }: ServedType): JsonObject {
  const paths = scale ?? { specReplicas: '', statusReplicas: '', labelSelector: undefined };
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = selectorText(object, paths);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: read(object, paths.specReplicas) ?? 0 },
    status: { replicas: read(object, paths.statusReplicas) ?? 0, ...(selector && { selector }) },
  };
}

function selectorText(object: KubeObject, { labelSelector }: ScalePaths): string {
  if (labelSelector) {
    const text = read(object, labelSelector);
    return typeof text === 'string' ? text : '';
  }
  return formatLabelSelector(read(object, '.spec.selector') as LabelSelector | undefined);
}

const steps = (path: string) => path.split('.').filter((step) => step !== '');

function read(object: KubeObject, path: string): unknown {
  return steps(path).reduce<unknown>((at, step) => (isObject(at) ? at[step] : undefined), object);
}

/** The object with the replicas of the scale. Throws BadRequest. */
export function withScale(object: KubeObject, scale: unknown, { scale: paths }: ServedType): KubeObject {
  const spec = isObject(scale) && isObject(scale.spec) ? scale.spec : {};
  const replicas = spec.replicas ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    throw badRequest(
      `Scale.autoscaling "${object.metadata.name}" is invalid: spec.replicas: Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`,
    );
  }
  return write(
    object as unknown as JsonObject,
    steps(paths?.specReplicas ?? '.spec.replicas'),
    replicas,
  ) as unknown as KubeObject;
}

function write(object: JsonObject, [step, ...rest]: string[], value: unknown): JsonObject {
  if (step === undefined) return object;
  const member = object[step];
  return {
    ...object,
    [step]: rest.length === 0 ? value : write(isObject(member) ? member : {}, rest, value),
  };
}
