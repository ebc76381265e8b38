import type { Container, Pod, QosClass } from '../../../kubernetes/index.ts';
import { parseQuantity } from '../../../kubernetes/index.ts';
import { copyJson, equalJson } from '../json.ts';
import type { FieldErrors } from './field-errors.ts';
import type { KindRules } from './kind-rules.ts';
import { defaultPodSpec, setDefaults, validatePodSpec } from './pod-spec.ts';

/** Seconds a pod stays on a node that is not ready (admission plugin DefaultTolerationSeconds). */
const tolerationSeconds = 300;

export const podRules: KindRules<Pod> = {
  countsGenerations: true,
  applyDefaults(pod) {
    defaultPodSpec(pod.spec);
    setDefaults(pod.spec, { enableServiceLinks: true });
    for (const container of pod.spec.containers ?? []) requestWhatIsLimited(container);
  },
  prepareCreate(pod) {
    const { spec } = pod;
    setDefaults(spec, {
      serviceAccountName: spec.serviceAccount ?? 'default',
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
      tolerations: [],
    });
    setDefaults(spec, { serviceAccount: spec.serviceAccountName });
    spec.tolerations = withNodeTolerations(spec.tolerations as Record<string, unknown>[]);
    pod.status = { phase: 'Pending', qosClass: qosClassOf(spec.containers ?? []) };
    if (spec.nodeName) pod.status.conditions = [scheduledCondition(pod.metadata.creationTimestamp)];
  },
  prepareUpdate(pod, current, now) {
    if (pod.spec.nodeName && !current.spec.nodeName) bindToNode(pod, now);
  },
  validate(pod, current, errors) {
    validatePodSpec(pod.spec, 'spec', errors);
    if (current) validateSpecChange(pod, current, errors);
  },
};

function requestWhatIsLimited({ resources }: Container): void {
  if (!resources?.limits) return;
  resources.requests = { ...resources.limits, ...resources.requests };
}

function withNodeTolerations(tolerations: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const added = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
    .filter(
      (key) => !tolerations.some((toleration) => toleration.key === key || toleration.key === undefined),
    )
    .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }));
  return [...tolerations, ...added];
}

const scheduledCondition = (since: string | undefined) => ({
  type: 'PodScheduled',
  status: 'True' as const,
  ...(since === undefined ? {} : { lastTransitionTime: since }),
});

/** What the binding subresource writes along with the node's name. */
function bindToNode(pod: Pod, now: string): void {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  pod.status = { ...pod.status, conditions: [...others, scheduledCondition(now)] };
}

/**
 * Guaranteed: every container limits cpu and memory and requests the same. BestEffort: nobody asks for anything.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
 */
export function qosClassOf(containers: readonly Container[]): QosClass {
  const amount = (quantity: string | number | undefined) => (quantity === undefined ? 0 : parse(quantity));
  let asksForSomething = false;
  let guaranteed = containers.length > 0;
  for (const { resources } of containers) {
    for (const name of ['cpu', 'memory']) {
      const [request, limit] = [amount(resources?.requests?.[name]), amount(resources?.limits?.[name])];
      if (request > 0 || limit > 0) asksForSomething = true;
      if (limit === 0 || (request !== 0 && request !== limit)) guaranteed = false;
    }
  }
  if (!asksForSomething) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** A quantity that cannot be read is reported by the validation that follows. */
function parse(quantity: string | number): number {
  try {
    return parseQuantity(quantity);
  } catch {
    return 0;
  }
}

function validateSpecChange(pod: Pod, current: Pod, errors: FieldErrors): void {
  const allowed = copyJson(pod.spec);
  if (!current.spec.nodeName) delete allowed.nodeName;
  allowed.activeDeadlineSeconds = current.spec.activeDeadlineSeconds;
  allowed.tolerations = current.spec.tolerations;
  for (const [index, container] of (allowed.containers ?? []).entries()) {
    container.image = current.spec.containers[index]?.image ?? '';
    container.resources = current.spec.containers[index]?.resources ?? {};
  }
  if (equalJson(allowed, current.spec)) return;
  errors.forbidden(
    'spec',
    'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
  );
}
