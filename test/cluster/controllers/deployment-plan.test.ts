import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boundsOf,
  newReplicaCount,
  oldReplicaCounts,
  proportionalCounts,
} from '../../../src/cluster/controllers/deployment/plan.ts';
import type { ReplicaSet } from '../../../src/kubernetes/index.ts';
import { deployment } from '../objects.ts';

const rolling = (replicas: number, maxSurge: number | string, maxUnavailable: number | string) =>
  deployment('echo', {
    replicas,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
  });

function set(name: string, replicas: number, available: number): ReplicaSet {
  const { selector, template } = deployment('echo').spec;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { replicas, selector, template },
    status: { replicas, availableReplicas: available },
  };
}

describe('surge and unavailability', () => {
  it.each([
    [10, '25%', '25%', 3, 2],
    [1, '25%', '25%', 1, 0],
    [3, '50%', '50%', 2, 1],
    [4, 1, 0, 1, 0],
    [3, '0%', '10%', 0, 1],
    [2, 0, 5, 0, 2],
  ])('of %d with %s and %s are %d and %d', (replicas, surge, unavailable, maxSurge, maxUnavailable) => {
    expect(boundsOf(rolling(replicas, surge, unavailable))).toEqual({ maxSurge, maxUnavailable });
  });
});

describe('a rolling update', () => {
  it('grows the new set into the surge and takes unhealthy old pods first', () => {
    const fresh = set('new', 0, 0);
    const old = [set('old-1', 4, 2), set('old-2', 6, 6)];
    const updated = rolling(10, '25%', '25%');
    expect(newReplicaCount(updated, [fresh, ...old], fresh)).toBe(3);
    expect(oldReplicaCounts(updated, old, set('new', 3, 0))).toEqual(new Map([['old-1', 2]]));
  });

  const amount = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 0, max: 100 }).map((percent) => `${percent}%`),
  );

  it('always ends, and never has too many pods nor too few that serve', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        amount,
        amount,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (replicas, surge, unavailable, chances) => {
          const updated = rolling(replicas, surge, unavailable);
          const { maxSurge, maxUnavailable } = boundsOf(updated);
          let fresh = set('new', 0, 0);
          let old = set('old', replicas, replicas);
          for (let round = 0; round < 500; round++) {
            fresh = set(
              'new',
              newReplicaCount(updated, [fresh, old], fresh),
              fresh.status?.availableReplicas ?? 0,
            );
            const left = oldReplicaCounts(updated, [old], fresh).get('old') ?? old.spec.replicas ?? 0;
            old = set('old', left, left);
            const size = (fresh.spec.replicas ?? 0) + left;
            const serving = (fresh.status?.availableReplicas ?? 0) + left;
            expect(size).toBeLessThanOrEqual(replicas + maxSurge);
            expect(serving).toBeGreaterThanOrEqual(replicas - maxUnavailable);
            if (left === 0 && serving === replicas) return;
            // Some of the new pods become available, at least one every few rounds.
            const [chance = 0] = [chances.next().value];
            const waiting = (fresh.spec.replicas ?? 0) - (fresh.status?.availableReplicas ?? 0);
            const more = round % 5 === 4 ? Math.min(1, waiting) : Math.floor(chance * waiting);
            fresh = set('new', fresh.spec.replicas ?? 0, (fresh.status?.availableReplicas ?? 0) + more);
          }
          throw new Error('the update did not end');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('scaled half-way shares the difference out, and comes to exactly what is allowed', () => {
    const counts = proportionalCounts(rolling(20, 2, 0), [set('a', 8, 8), set('b', 4, 4)], () => 12);
    expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(22);
    expect(counts.get('a')).toBeGreaterThan(counts.get('b') ?? 0);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 4 }),
        (replicas, sizes) => {
          const sets = sizes.map((size, index) => set(`s-${index}`, size, size));
          const before = sizes.reduce((sum, size) => sum + size, 0);
          const scaled = [...proportionalCounts(rolling(replicas, 1, 0), sets, () => before).values()];
          expect(Math.min(...scaled)).toBeGreaterThanOrEqual(0);
          expect(scaled.reduce((sum, count) => sum + count, 0)).toBe(replicas + 1);
        },
      ),
    );
  });
});
