import {
  ApiError,
  type KubeObject,
  type ObjectApi,
  type ResourceType,
  type WatchEvent,
} from '../../src/kubernetes/index.ts';

/**
 * An API on a bad day: `chance()` decides of each write whether it is refused, or done and reported as failed, and of
 * each event whether the watch breaks there.
 */
export function makeFaulty(
  api: ObjectApi,
  chance: (what: 'refuse' | 'lose' | 'break') => boolean,
): ObjectApi {
  const attempt = async <Result>(act: () => Promise<Result>): Promise<Result> => {
    if (chance('refuse')) throw new ApiError('Conflict', 'refused by the test');
    const result = await act();
    if (chance('lose')) throw new ApiError('InternalError', 'the answer was lost by the test');
    return result;
  };
  return {
    get: (...parameters) => api.get(...parameters),
    list: (...parameters) => api.list(...parameters),
    create: (...parameters) => attempt(() => api.create(...parameters)),
    update: (...parameters) => attempt(() => api.update(...parameters)),
    updateStatus: (...parameters) => attempt(() => api.updateStatus(...parameters)),
    delete: (...parameters) => attempt(() => api.delete(...parameters)),
    watch: <Kind extends KubeObject>(type: ResourceType<Kind>, options: Parameters<ObjectApi['watch']>[1]) =>
      breaking(api.watch(type, options), chance),
  };
}

async function* breaking<Kind extends KubeObject>(
  events: AsyncIterable<WatchEvent<Kind>>,
  chance: (what: 'break') => boolean,
): AsyncGenerator<WatchEvent<Kind>> {
  for await (const event of events) {
    if (chance('break')) throw new Error('the watch was broken by the test');
    yield event;
  }
}
