/** Random histories against a model that is a map and a counter. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore, type Store } from '../../../src/cluster/index.ts';
import { ApiError, configMaps, type KubeObject } from '../../../src/kubernetes/index.ts';
import { configMap } from '../objects.ts';

type Step =
  | { act: 'create'; name: string; data: string; held: boolean }
  | { act: 'update'; name: string; data: string; seen: 'newest' | 'older' | 'none'; release: boolean }
  | { act: 'delete'; name: string };

interface ModelObject {
  data: string;
  version: number;
  held: boolean;
  deleting: boolean;
}

const name = fc.constantFrom('a', 'b', 'c', 'a-b', 'a.b');
const data = fc.constantFrom('1', '2', '3');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ act: fc.constant('create' as const), name, data, held: fc.boolean() }),
  fc.record({
    act: fc.constant('update' as const),
    name,
    data,
    seen: fc.constantFrom('newest' as const, 'older' as const, 'none' as const),
    release: fc.boolean(),
  }),
  fc.record({ act: fc.constant('delete' as const), name }),
);

/** What the API says to one step: a reason, or the model changed. */
class Model {
  readonly objects = new Map<string, ModelObject>();
  version: number;

  constructor(version: number) {
    this.version = version;
  }

  apply(step: Step): string {
    const present = this.objects.get(step.name);
    if (step.act === 'create') {
      if (present) return 'AlreadyExists';
      const created = { data: step.data, version: ++this.version, held: step.held, deleting: false };
      this.objects.set(step.name, created);
      return 'done';
    }
    if (!present) return 'NotFound';
    if (step.act === 'delete') {
      if (!present.held) {
        this.objects.delete(step.name);
        this.version++;
      } else if (!present.deleting) Object.assign(present, { deleting: true, version: ++this.version });
      return 'done';
    }
    if (step.seen === 'older') return 'Conflict';
    const held = present.held && !step.release;
    if (present.deleting && !held) {
      this.objects.delete(step.name);
      this.version++;
    } else if (present.data !== step.data || present.held !== held) {
      Object.assign(present, { data: step.data, held, version: ++this.version });
    }
    return 'done';
  }

  state(): string[] {
    return [...this.objects]
      .map(
        ([key, { data: value, version, held, deleting }]) => `${key} ${value} ${version} ${held} ${deleting}`,
      )
      .toSorted((a, b) => (a < b ? -1 : 1));
  }
}

const stateOf = (items: Iterable<KubeObject>) =>
  [...items]
    .map(
      ({ metadata, data: content }) =>
        `${metadata.name} ${(content as { value: string }).value} ${metadata.resourceVersion} ${(metadata.finalizers?.length ?? 0) > 0} ${metadata.deletionTimestamp !== undefined}`,
    )
    .toSorted((a, b) => (a < b ? -1 : 1));

async function perform(store: Store, step: Step): Promise<string> {
  const present = store.peek(configMaps, 'default', step.name);
  try {
    if (step.act === 'delete') await store.delete(configMaps, 'default', step.name);
    else {
      const object = configMap(step.name, { value: step.data });
      const held = step.act === 'create' ? step.held : Boolean(present?.metadata.finalizers) && !step.release;
      if (held) object.metadata.finalizers = ['example.com/hold'];
      if (step.act === 'update') {
        if (step.seen === 'newest' && present)
          object.metadata.resourceVersion = present.metadata.resourceVersion ?? '';
        if (step.seen === 'older') object.metadata.resourceVersion = '1';
      }
      await (step.act === 'create' ? store.create(configMaps, object) : store.update(configMaps, object));
    }
    return 'done';
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.reason;
  }
}

describe('the store', () => {
  it('answers every history as the model does, and every earlier version can be read and followed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = createStore();
        const model = new Model(Number(store.resourceVersion));
        const history = new Map<string, string[]>([[store.resourceVersion, []]]);
        for (const each of steps) {
          expect(await perform(store, each)).toBe(model.apply(each));
          expect(store.resourceVersion).toBe(String(model.version));
          const state = stateOf(store.page(configMaps).items);
          expect(state).toEqual(model.state());
          history.set(store.resourceVersion, state);
        }
        for (const [version, state] of history) {
          const then = store.page(configMaps, { exactResourceVersion: version }).items;
          expect(stateOf(then)).toEqual(state);
          const followed = new Map(then.map((object) => [object.metadata.name, object]));
          store.subscribe(configMaps, {
            resourceVersion: version,
            onEvent: ({ type, object }) => {
              if (type === 'DELETED') followed.delete(object.metadata.name);
              else followed.set(object.metadata.name, object);
            },
          });
          expect(stateOf(followed.values())).toEqual(model.state());
        }
      }),
      { numRuns: 150 },
    );
  });

  it('gives in pages what it gives at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.stringMatching(/^[a-z]([-.]?[a-z0-9]){0,6}$/)),
        fc.integer({ min: 1, max: 7 }),
        async (names, limit) => {
          const store = createStore();
          for (const each of names) await store.create(configMaps, configMap(each, {}));
          const paged: string[] = [];
          let token: string | undefined;
          do {
            const page = store.page(configMaps, {
              limit,
              ...(token === undefined ? {} : { continue: token }),
            });
            paged.push(...page.items.map(({ metadata }) => metadata.name));
            token = page.continue;
          } while (token !== undefined);
          expect(paged).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
        },
      ),
      { numRuns: 100 },
    );
  });
});
