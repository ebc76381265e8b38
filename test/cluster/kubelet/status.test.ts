import { describe, expect, it } from 'vitest';
import { type PodObservation, podStatus } from '../../../src/cluster/kubelet/status.ts';
import type { ContainerState, ContainerStatus, Pod } from '../../../src/kubernetes/index.ts';

const running: ContainerState = { running: { startedAt: '2026-01-02T03:04:05Z' } };
const waiting: ContainerState = { waiting: { reason: 'ContainerCreating' } };
const ended = (exitCode: number): ContainerState => ({ terminated: { exitCode } });

function container(state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name: 'app', image: 'app', restartCount: 0, ready: false, state, ...more };
}

function pod(spec: Partial<Pod['spec']> = {}, status: Pod['status'] = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app' },
    spec: { containers: [], ...spec },
    status,
  };
}

function statusOf(more: Partial<PodObservation>) {
  return podStatus({
    pod: pod(),
    now: '2026-01-02T03:04:05Z',
    hostIP: '192.0.2.1',
    podIP: '10.244.0.2',
    startTime: '2026-01-02T03:04:00Z',
    lastConditions: [],
    initContainers: [],
    containers: [container(running, { ready: true })],
    isFinished: false,
    ...more,
  });
}

const conditionOf = (status: ReturnType<typeof statusOf>, type: string) =>
  status.conditions?.find((condition) => condition.type === type);

describe("a pod's phase", () => {
  it.each<[string, string, ContainerStatus[], string | undefined, boolean]>([
    [
      'Pending',
      'a container has not started yet',
      [container(waiting), container(running)],
      undefined,
      false,
    ],
    ['Running', 'one runs', [container(running), container(ended(1))], 'Never', false],
    [
      'Running',
      'one waits to be started again',
      [container(waiting, { lastState: ended(1) })],
      undefined,
      false,
    ],
    ['Running', 'all ended and will be started again', [container(ended(0))], 'Always', false],
    ['Running', 'one failed and will be started again', [container(ended(1))], 'OnFailure', false],
    ['Succeeded', 'all ended well for good', [container(ended(0)), container(ended(0))], 'Never', true],
    ['Failed', 'one failed for good', [container(ended(0)), container(ended(1))], 'Never', true],
    ['Failed', 'the pod was deleted and a container was killed', [container(ended(137))], 'Always', true],
    ['Succeeded', 'the pod was deleted and ended well', [container(ended(0))], 'Always', true],
  ])('is %s when %s', (phase, _, containers, restartPolicy, isFinished) => {
    const spec = restartPolicy ? { restartPolicy: restartPolicy as 'Always' } : {};
    expect(statusOf({ pod: pod(spec), containers, isFinished }).phase).toBe(phase);
  });

  it('is Pending while an init container has not ended well', () => {
    expect(statusOf({ initContainers: [container(running)], containers: [container(waiting)] }).phase).toBe(
      'Pending',
    );
  });
});

describe("a pod's conditions", () => {
  it('keep the time since when they are so', () => {
    const first = statusOf({});
    const later = statusOf({ now: '2026-01-02T04:00:00Z', lastConditions: first.conditions ?? [] });
    expect(later.conditions).toEqual(first.conditions);
  });

  it('take that time from what was last composed, not from a copy of the pod that lags behind it', () => {
    const lagging = pod(
      {},
      { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-01-02T00:00:00Z' }] },
    );
    const first = statusOf({ pod: lagging });
    const later = statusOf({
      pod: lagging,
      now: '2026-01-02T03:04:06Z',
      lastConditions: first.conditions ?? [],
    });
    expect(later).toEqual(first);
  });

  it('of others are kept', () => {
    const others = { type: 'example.com/checked', status: 'True' as const };
    expect(statusOf({ pod: pod({}, { conditions: [others] }) }).conditions).toContainEqual(others);
  });

  it('wait for readiness gates', () => {
    const gated = { readinessGates: [{ conditionType: 'example.com/checked' }] };
    expect(conditionOf(statusOf({ pod: pod(gated) }), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
    });
    expect(conditionOf(statusOf({ pod: pod(gated) }), 'ContainersReady')).toMatchObject({ status: 'True' });
    const checked = pod(gated, { conditions: [{ type: 'example.com/checked', status: 'True' }] });
    expect(conditionOf(statusOf({ pod: checked }), 'Ready')).toMatchObject({ status: 'True' });
  });

  it('of a pod that is through say so', () => {
    const status = statusOf({
      pod: pod({ restartPolicy: 'Never' }),
      containers: [container(ended(0))],
      isFinished: true,
    });
    expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' });
    expect(conditionOf(status, 'PodReadyToStartContainers')).toMatchObject({ status: 'False' });
  });
});
