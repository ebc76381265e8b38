import { describe, expect, it } from 'vitest';
import { createEventRecorder, createStore } from '../../../src/cluster/index.ts';
import { events, pods } from '../../../src/kubernetes/index.ts';
import { startTestCluster } from '../cluster.ts';
import { eventually } from '../eventually.ts';
import { pod } from '../objects.ts';

describe('an event recorder', () => {
  it('writes what kubectl describe looks for, and counts repetitions', async () => {
    const store = createStore();
    let time = Date.parse('2026-01-01T00:00:00Z');
    const recorder = createEventRecorder(store, 'kubelet', { now: () => new Date(time), host: 'laptop' });
    const object = await store.create(pods, pod('echo'));
    recorder.record(object, 'Warning', 'BackOff', 'Back-off restarting failed container');
    time += 60_000;
    recorder.record(object, 'Warning', 'BackOff', 'Back-off restarting failed container');
    recorder.record(object, 'Normal', 'Pulled', 'Container image present');
    await recorder.flush();
    const [first, second] = store.page(events).items;
    expect(first).toMatchObject({
      metadata: { name: expect.stringMatching(/^echo\.[0-9a-f]{16}$/), namespace: 'default' },
      involvedObject: {
        kind: 'Pod',
        namespace: 'default',
        name: 'echo',
        uid: object.metadata.uid,
        apiVersion: 'v1',
      },
      reason: 'BackOff',
      type: 'Warning',
      count: 2,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:01:00Z',
      source: { component: 'kubelet', host: 'laptop' },
    });
    expect(second).toMatchObject({ reason: 'Pulled', count: 1 });
  });

  it('does not let one object flood the store', async () => {
    const store = createStore();
    const recorder = createEventRecorder(store, 'kubelet', { now: () => new Date('2026-01-01') });
    const object = await store.create(pods, pod('echo'));
    for (let count = 0; count < 100; count++) recorder.record(object, 'Normal', 'Tick', `tick ${count}`);
    await recorder.flush();
    expect(store.page(events).items).toHaveLength(25);
    expect(recorder.dropped).toBe(75);
  });

  it('takes a namespace that is gone in its stride, and reports what else goes wrong', async () => {
    const store = createStore({ limits: { maxObjects: 5 } });
    const errors: unknown[] = [];
    const recorder = createEventRecorder(store, 'kubelet', { onError: (error) => errors.push(error) });
    recorder.record(pod('lost', { namespace: 'gone' }), 'Normal', 'A', 'a');
    await recorder.flush();
    expect(errors).toEqual([]);
    for (const message of ['fits', 'does not fit']) recorder.record(pod('echo'), 'Normal', 'A', message);
    await recorder.flush();
    expect(errors).toMatchObject([{ message: 'etcdserver: mvcc: database space exceeded' }]);
  });
});

describe('events', () => {
  it('are forgotten, the oldest first, when there are too many', async () => {
    const { store } = await startTestCluster();
    const recorder = createEventRecorder(store, 'kubelet');
    for (let count = 0; count < 2010; count++) {
      const object = pod(`echo-${count}`);
      recorder.record(object, 'Normal', 'Started', `Started ${count}`);
    }
    await recorder.flush();
    await eventually(() => expect(store.page(events).items).toHaveLength(2000));
    expect(store.page(events).items.some(({ message }) => message === 'Started 0')).toBe(false);
  });
});
