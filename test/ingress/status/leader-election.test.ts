import { describe, expect, it, onTestFinished } from 'vitest';
import { createStore, type Store } from '../../../src/cluster/index.ts';
import { createLeaderElection, type LeaderState } from '../../../src/ingress/status/leader-election.ts';
import { ApiError, leases, namespaces, type ObjectApi } from '../../../src/kubernetes/index.ts';
import { ManualClock } from '../manual-clock.ts';

type Api = Pick<ObjectApi, 'get' | 'create' | 'update'>;

async function world() {
  const store = createStore();
  onTestFinished(() => store.close());
  await store.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'sluice' } });
  return { store, clock: new ManualClock() };
}

/** With what it was told so far. */
function replica(identity: string, api: Api, clock: ManualClock) {
  const states: string[] = [];
  const election = createLeaderElection({
    api,
    namespace: 'sluice',
    name: 'ingress',
    identity,
    clock,
    onChange: (state) => states.push(textOf(state)),
  });
  onTestFinished(() => election.stop());
  return { election, states };
}

function textOf(state: LeaderState): string {
  return state.kind === 'following' ? `following ${state.holder}` : state.kind;
}

/** An API that a test may take away. */
function breakable(store: Store) {
  const state: { refusal: (() => Promise<never>) | undefined } = { refusal: undefined };
  const through =
    <Arguments extends unknown[], Result>(call: (...given: Arguments) => Promise<Result>) =>
    (...given: Arguments) =>
      state.refusal ? state.refusal() : call(...given);
  const api = {
    get: through(store.get.bind(store)),
    create: through(store.create.bind(store)),
    update: through(store.update.bind(store)),
  } as Api;
  return { api, state };
}

const lease = async (store: Store) =>
  (await store.get(leases, 'sluice', 'ingress')) as unknown as { spec: object };

describe('the election of the replica that writes', () => {
  it('has one leader, and another takes over when that one is silent for longer than the Lease lasts', async () => {
    const { store, clock } = await world();
    const broken = breakable(store);
    const [a, b] = [replica('a', broken.api, clock), replica('b', store, clock)];
    a.election.start();
    await clock.advance(0);
    b.election.start();
    await clock.advance(60_000);
    expect([a.states, b.states]).toEqual([['leading'], ['following a']]);
    broken.state.refusal = () => Promise.reject(new Error('no route to host'));
    await clock.advance(9_000);
    expect([a.states.at(-1), b.states.at(-1)]).toEqual(['leading', 'following a']);
    await clock.advance(3_000);
    // The old one has given up before the new one may begin.
    expect([a.states.at(-1), b.states.at(-1)]).toEqual(['following undefined', 'following a']);
    await clock.advance(10_000);
    expect([a.states.at(-1), b.states.at(-1)]).toEqual(['following undefined', 'leading']);
    broken.state.refusal = undefined;
    await clock.advance(10_000);
    expect(a.states.at(-1)).toBe('following b');
    expect((await lease(store)).spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('never has two leaders, whatever comes between replicas and API', async () => {
    const { store, clock } = await world();
    const apis = [breakable(store), breakable(store), breakable(store)];
    const replicas = apis.map(({ api }, index) => replica(`r${index}`, api, clock));
    for (const { election } of replicas) election.start();
    const leaders = new Set<number>();
    for (let step = 0; step < 400; step++) {
      const { state } = apis[step % 3] as (typeof apis)[number];
      // Each of them for long at times, and all of them for moments.
      const isDown = (Math.floor(step / 30) + step) % 3 === 0 || (step * 7919) % 11 < 4;
      state.refusal = isDown ? () => Promise.reject(new Error('down')) : undefined;
      await clock.advance(1_700);
      const leading = replicas.flatMap(({ states }, index) => (states.at(-1) === 'leading' ? [index] : []));
      expect(leading.length).toBeLessThan(2);
      for (const index of leading) leaders.add(index);
    }
    expect(leaders.size).toBeGreaterThan(1);
  });

  it('is over at once when the leader says that it goes', async () => {
    const { store, clock } = await world();
    const [a, b] = [replica('a', store, clock), replica('b', store, clock)];
    a.election.start();
    await clock.advance(0);
    b.election.start();
    await clock.advance(0);
    await a.election.stop();
    expect((await lease(store)).spec).not.toHaveProperty('holderIdentity');
    await clock.advance(5_000);
    expect(b.states).toEqual(['following a', 'leading']);
  });

  it('leaves the Lease alone when a replica goes that does not hold it', async () => {
    const { store, clock } = await world();
    const [a, b] = [replica('a', store, clock), replica('b', store, clock)];
    a.election.start();
    await clock.advance(0);
    b.election.start();
    await clock.advance(0);
    await b.election.stop();
    expect((await lease(store)).spec).toMatchObject({ holderIdentity: 'a' });
  });

  it('does not leave in office one whose requests are never answered', async () => {
    const { store, clock } = await world();
    const { api, state } = breakable(store);
    const a = replica('a', api, clock);
    a.election.start();
    await clock.advance(0);
    let answer = () => {};
    state.refusal = () =>
      new Promise<never>((_resolve, reject) => {
        answer = () => reject(new Error('too late'));
      });
    await clock.advance(12_000);
    expect(a.states).toEqual(['leading', 'following undefined']);
    answer();
  });

  it('measures on its own clock: what times the Lease bears does not matter', async () => {
    const { store, clock } = await world();
    await store.create(leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'ingress', namespace: 'sluice' },
      spec: { holderIdentity: 'gone', leaseDurationSeconds: 15, renewTime: '2099-01-01T00:00:00.000000Z' },
    } as never);
    const a = replica('a', store, clock);
    a.election.start();
    await clock.advance(14_000);
    expect(a.states).toEqual(['following gone']);
    await clock.advance(6_000);
    expect(a.states).toEqual(['following gone', 'leading']);
  });

  it.each([
    ['no right to it', new ApiError('Forbidden', 'leases.coordination.k8s.io is forbidden')],
    ['no such resource', new ApiError('NotFound', 'the server could not find the requested resource')],
  ])('keeps nobody from writing where there is %s, and is tried again later', async (_what, error) => {
    const { store, clock } = await world();
    const { api, state } = breakable(store);
    state.refusal = () => Promise.reject(error);
    const a = replica('a', api, clock);
    a.election.start();
    await clock.advance(30_000);
    expect(a.states).toEqual(['unelected']);
    state.refusal = undefined;
    await clock.advance(60_000);
    expect(a.states).toEqual(['unelected', 'leading']);
  });
});
