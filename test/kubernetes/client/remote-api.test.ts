import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ApiError,
  createInformer,
  type Service,
  services,
  type WatchEvent,
} from '../../../src/kubernetes/index.ts';
import {
  type Answer,
  bookmark,
  json,
  line,
  remoteApi,
  serviceList,
  serviceObject,
  startFakeApi,
  status,
} from './fake-api.ts';

const isWatch = ({ query }: { query: URLSearchParams }) => query.get('watch') === 'true';

/** Answers lists with `list`; each watch with the next of `watches`, the last of them again and again. */
function listThenWatch(list: unknown, watches: Answer[]): Answer {
  let count = 0;
  return (request, response) => {
    if (!isWatch(request)) {
      json(response, list);
      return;
    }
    watches[Math.min(count++, watches.length - 1)]?.(request, response);
  };
}

const send =
  (...lines: string[]): Answer =>
  (_request, response) => {
    for (const text of lines) response.write(text);
  };
const sendAndEnd =
  (...lines: string[]): Answer =>
  (_request, response) => {
    response.writeHead(200).end(lines.join(''));
  };
const silence: Answer = (_request, response) => response.writeHead(200).flushHeaders();

async function take<T>(events: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

const names = (events: readonly WatchEvent<Service>[]) =>
  events.map(({ type, object }) => `${type} ${object.metadata.name}`);

describe('listing over HTTP', () => {
  it('joins the pages, asks for a consistent list and gives each object its kind', async () => {
    const fake = await startFakeApi((request, response) =>
      json(
        response,
        request.query.get('continue') ? serviceList(['c'], '7') : serviceList(['a', 'b'], '7', 'more'),
      ),
    );
    const list = await remoteApi(fake.url).list(services, {
      namespace: 'backend',
      labelSelector: { matchLabels: { a: 'b' } },
    });
    expect(
      list.items.map(({ kind, apiVersion, metadata }) => `${apiVersion} ${kind} ${metadata.name}`),
    ).toEqual(['v1 Service a', 'v1 Service b', 'v1 Service c']);
    expect(list.resourceVersion).toBe('7');
    expect(fake.requests[0]?.path).toBe('/api/v1/namespaces/backend/services');
    expect(Object.fromEntries(fake.requests[1]?.query ?? [])).toEqual({
      limit: '500',
      continue: 'more',
      labelSelector: 'a=b',
    });
  });

  it('keeps no managedFields of what is listed or watched', async () => {
    const metadata = { name: 'a', resourceVersion: '1', managedFields: [{ manager: 'x' }] };
    const list = { ...serviceList([], '1'), items: [{ metadata, spec: {} }] };
    const fake = await startFakeApi(listThenWatch(list, [send(line('MODIFIED', { metadata, spec: {} }))]));
    const events = await take(remoteApi(fake.url).watch(services), 2);
    expect(events.map(({ object }) => object.metadata.managedFields)).toEqual([undefined, undefined]);
  });

  it('asks for everything at once when the pages have expired', async () => {
    const fake = await startFakeApi(({ query }, response) => {
      if (query.get('continue')) json(response, status(410, 'Expired'), 410);
      else
        json(response, query.get('limit') ? serviceList(['a'], '7', 'more') : serviceList(['a', 'b'], '9'));
    });
    const list = await remoteApi(fake.url).list(services);
    expect([list.items.length, list.resourceVersion]).toEqual([2, '9']);
  });

  it('keeps the path before the API that the server URL has', async () => {
    const fake = await startFakeApi((_request, response) => json(response, serviceList([], '1')));
    await remoteApi(`${fake.url}/secret/`).list(services);
    expect(fake.requests[0]?.path).toBe('/secret/api/v1/services');
  });

  it.each([
    ['a page of HTML', '<html>Please log in</html>'],
    ['JSON that is no list', '{"kind":"Service","metadata":{"name":"a"}}'],
    ['a list of another kind', JSON.stringify({ ...serviceList([], '1'), kind: 'PodList' })],
    ['a list without items', '{"kind":"ServiceList","metadata":{"resourceVersion":"1"}}'],
    ['a list without a version', '{"kind":"ServiceList","metadata":{},"items":[]}'],
    ['items that are no objects', '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"items":[1]}'],
    ['half of a list', '{"kind":"ServiceList","metadata":{"resourceVersion":"1"},"ite'],
    ['nothing', ''],
  ])('never takes %s for an empty list', async (_what, text) => {
    const fake = await startFakeApi((_request, response) => response.writeHead(200).end(text));
    const api = remoteApi(fake.url);
    await expect(api.list(services)).rejects.toThrow(/^the API (gave no ServiceList|answered 200 with)/);
    expect(api.stale).toMatchObject([{ resource: 'services' }]);
  });

  it("gives Go's null for an empty list as an empty list", async () => {
    const list = { kind: 'ServiceList', metadata: { resourceVersion: '1' }, items: null };
    const fake = await startFakeApi((_request, response) => json(response, list));
    expect(await remoteApi(fake.url).list(services)).toEqual({ items: [], resourceVersion: '1' });
  });

  it('tells a server that says nothing from one that answers', async () => {
    const fake = await startFakeApi(() => {});
    await expect(remoteApi(fake.url, { silenceMs: 30 }).list(services)).rejects.toThrow(
      /said nothing for 0.03 s/,
    );
  });

  it.each([
    [403, 'Forbidden'],
    [404, 'NotFound'],
    [409, 'AlreadyExists'],
    [410, 'Expired'],
    [422, 'Invalid'],
    [429, 'TooManyRequests'],
    [503, 'ServiceUnavailable'],
  ])('turns a Status of %i into an ApiError', async (code, reason) => {
    const fake = await startFakeApi((_request, response) =>
      json(response, status(code, reason, 'why'), code),
    );
    const refusal = await remoteApi(fake.url)
      .get(services, 'backend', 'a')
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ApiError);
    expect(refusal).toMatchObject({ code, reason, message: 'why' });
  });
});

describe('a watch over HTTP', () => {
  it('gives events, follows bookmarks and goes on from the last version after a clean end', async () => {
    const fake = await startFakeApi(
      listThenWatch(serviceList([], '1'), [
        sendAndEnd(line('ADDED', serviceObject('a', '2')), bookmark('5')),
        send(line('MODIFIED', serviceObject('a', '6'))),
      ]),
    );
    const api = remoteApi(fake.url);
    const events = await take(api.watch(services, { resourceVersion: '1' }), 2);
    expect(names(events)).toEqual(['ADDED a', 'MODIFIED a']);
    const watches = fake.requests.filter(isWatch);
    expect(watches.map(({ query }) => query.get('resourceVersion'))).toEqual(['1', '5']);
    expect(watches[0]?.query.get('allowWatchBookmarks')).toBe('true');
    expect(Number(watches[0]?.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
    expect(api.stale).toEqual([]);
    expect(api.counters).toMatchObject({ bookmarks: 1, watchEvents: 2, watches: 2, failures: 0 });
  });

  it('lists first when it is given no version', async () => {
    const fake = await startFakeApi(listThenWatch(serviceList(['a'], '4'), [silence]));
    expect(names(await take(remoteApi(fake.url).watch(services), 1))).toEqual(['ADDED a']);
  });

  it('reads events that come in pieces, several at once and with letters cut in two', async () => {
    const text = Buffer.from(
      line('ADDED', serviceObject('größe', '2')) + line('ADDED', serviceObject('b', '3')),
    );
    const cut = text.indexOf('ö') + 1;
    const fake = await startFakeApi((_request, response) => {
      response.write(text.subarray(0, cut), () => setImmediate(() => response.write(text.subarray(cut))));
    });
    const events = await take(remoteApi(fake.url).watch(services, { resourceVersion: '1' }), 2);
    expect(names(events)).toEqual(['ADDED größe', 'ADDED b']);
  });

  it('throws Expired for a 410, as an answer and as an event', async () => {
    const asEvent = sendAndEnd(line('ERROR', status(410, 'Expired', 'too old')));
    for (const answer of [asEvent, ((_q, response) => json(response, status(410, 'Gone'), 410)) as Answer]) {
      const fake = await startFakeApi(answer);
      const watching = take(remoteApi(fake.url).watch(services, { resourceVersion: '1' }), 1);
      await expect(watching).rejects.toMatchObject({ reason: 'Expired' });
    }
  });

  it.each([
    ['a bookmark', bookmark('3')],
    ['an event', line('ADDED', serviceObject('a', '3'))],
  ])('throws Expired for %s of a version before its own: the API has lost its state', async (_what, text) => {
    const fake = await startFakeApi(send(text));
    const watching = take(remoteApi(fake.url).watch(services, { resourceVersion: '9' }), 1);
    await expect(watching).rejects.toMatchObject({ reason: 'Expired' });
  });

  it('gives up, so that a new list is made, for a version from the future and after 5xx again and again', async () => {
    const tooLarge = {
      ...status(504, 'Timeout', 'Too large resource version'),
      details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
    };
    for (const [answer, count] of [
      [tooLarge, 1],
      [status(500, 'InternalError'), 5],
    ] as const) {
      const fake = await startFakeApi((_request, response) => json(response, answer, answer.code));
      const watching = take(remoteApi(fake.url).watch(services, { resourceVersion: '9' }), 1);
      await expect(watching).rejects.toBeInstanceOf(ApiError);
      expect(fake.requests).toHaveLength(count);
    }
  });

  it('backs off and keeps the watch, without a new list, while the API says 429', async () => {
    const tooMany: Answer = (_request, response) => json(response, status(429, 'TooManyRequests'), 429);
    const fake = await startFakeApi(
      listThenWatch(serviceList([], '1'), [tooMany, tooMany, send(line('ADDED', serviceObject('a', '2')))]),
    );
    const api = remoteApi(fake.url);
    await take(api.watch(services, { resourceVersion: '1' }), 1);
    expect(fake.requests.filter(isWatch).map(({ query }) => query.get('resourceVersion'))).toEqual([
      '1',
      '1',
      '1',
    ]);
    expect(fake.requests.length).toBe(3);
  });

  it('waits as long as Retry-After says', async () => {
    let clockMs = 0;
    const fake = await startFakeApi((_request, response) =>
      response.writeHead(429, { 'retry-after': '7' }).end('slow down'),
    );
    const api = remoteApi(fake.url, { now: () => clockMs });
    await expect(api.list(services)).rejects.toMatchObject({ details: { retryAfterSeconds: 7 } });
    let answered = false;
    const second = api.list(services).catch(() => {
      answered = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect([answered, fake.requests.length]).toEqual([false, 1]);
    api.close();
    clockMs += 7000;
    await second;
  });

  it.each([
    ['what is not JSON', 'garbage\n'],
    ['an event of no known type', `${JSON.stringify({ type: 'EXPLODED', object: {} })}\n`],
    [
      'an object of another kind',
      line('ADDED', { kind: 'Pod', metadata: { name: 'p', resourceVersion: '99' } }),
    ],
    ['an event without an object', '{"type":"ADDED"}\n'],
    ['an internal error', line('ERROR', status(500, 'InternalError'))],
  ])('loses no event to %s: it watches again from before it', async (_what, text) => {
    const fake = await startFakeApi(
      listThenWatch(serviceList([], '1'), [
        send(line('ADDED', serviceObject('a', '2')), text),
        send(line('ADDED', serviceObject('b', '3'))),
      ]),
    );
    const events = await take(remoteApi(fake.url).watch(services, { resourceVersion: '1' }), 2);
    expect(names(events)).toEqual(['ADDED a', 'ADDED b']);
    expect(fake.requests.filter(isWatch).map(({ query }) => query.get('resourceVersion'))).toEqual([
      '1',
      '2',
    ]);
  });

  it('notices a connection on which nothing comes any more, and counts it', async () => {
    const fake = await startFakeApi(
      listThenWatch(serviceList([], '1'), [silence, send(line('ADDED', serviceObject('a', '2')))]),
    );
    const api = remoteApi(fake.url, { watchSilenceMs: 30 });
    await take(api.watch(services, { resourceVersion: '1' }), 1);
    expect(api.counters).toMatchObject({ silences: 1, failures: 0 });
  });

  it('follows every change through an API that cuts each watch after one event', async () => {
    let version = 1;
    const fake = await startFakeApi((request, response) => {
      if (!isWatch(request)) {
        json(response, serviceList([], '1'));
        return;
      }
      expect(request.query.get('resourceVersion')).toBe(String(version));
      response.write(line('MODIFIED', serviceObject('a', String(++version))), () => response.destroy());
    });
    const api = remoteApi(fake.url);
    const events = await take(api.watch(services, { resourceVersion: '1' }), 20);
    expect(events.map(({ object }) => object.metadata.resourceVersion)).toEqual(
      Array.from({ length: 20 }, (_, index) => String(index + 2)),
    );
    expect(api.counters.failures).toBe(0);
  });

  it('calls it a failure when no watch can be opened, even where connections are cut rather than refused', async () => {
    const fake = await startFakeApi((_request, response) => void response.socket?.destroy());
    let told = (_error: string | undefined) => {};
    const failed = new Promise<string | undefined>((resolve) => {
      told = resolve;
    });
    const api = remoteApi(fake.url, { onHealthChange: ({ error }) => told(error) });
    const watching = take(api.watch(services, { resourceVersion: '1' }), 1);
    expect(await failed).toMatch(/hang up|ECONNRESET/);
    expect(api.stale).toMatchObject([{ resource: 'services' }]);
    api.close();
    expect(await watching).toEqual([]);
  });

  it('ends when it is aborted, also between two tries', async () => {
    const fake = await startFakeApi(silence);
    for (const retryMs of [1, 60_000]) {
      const abort = new AbortController();
      const api = remoteApi(fake.url, { retry: { firstMs: retryMs, lastMs: retryMs, resetMs: 1 } });
      const watching = take(api.watch(services, { resourceVersion: '1', signal: abort.signal }), 1);
      await fake.until(isWatch);
      abort.abort();
      expect(await watching).toEqual([]);
    }
  });
});

describe('an informer over HTTP', () => {
  const follow = (api: ReturnType<typeof remoteApi>) => {
    const errors: unknown[] = [];
    const informer = createInformer(api, services, { onError: (error) => errors.push(error) });
    onTestFinished(() => informer.stop());
    informer.start();
    const until = (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        informer.onChange(() => {
          if (condition()) resolve();
        });
        if (condition()) resolve();
      });
    const present = () => informer.list().map(({ metadata }) => metadata.name);
    return { informer, errors, until, present };
  };

  it('keeps what it knows while the API is gone, says so, and catches up when it is back', async () => {
    const fake = await startFakeApi(listThenWatch(serviceList(['a'], '1'), [silence]));
    const changes: (string | undefined)[] = [];
    let told = () => {};
    const api = remoteApi(fake.url, {
      onHealthChange: ({ error }) => {
        changes.push(error);
        told();
      },
    });
    const { informer, present, until } = follow(api);
    await informer.synced;
    await fake.until(isWatch);
    const gone = new Promise<void>((resolve) => {
      told = resolve;
    });
    await fake.kill();
    await gone;
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatch(/ECONNREFUSED/);
    expect(api.stale).toMatchObject([{ resource: 'services' }]);
    expect(present()).toEqual(['a']);

    fake.answer = listThenWatch(serviceList(['a', 'b'], '9'), [
      (_request, response) => json(response, status(410, 'Expired'), 410),
      silence,
    ]);
    await fake.revive();
    await until(() => present().includes('b'));
    await fake.until(({ query }) => query.get('resourceVersion') === '9');
    expect(present()).toEqual(['a', 'b']);
    expect(changes.at(-1)).toBeUndefined();
    expect(api.stale).toEqual([]);
  });

  it('never empties its copy for lists that fail, and empties it when the API says that nothing is there', async () => {
    const expired: Answer = (_request, response) => json(response, status(410, 'Expired'), 410);
    const fake = await startFakeApi(listThenWatch(serviceList(['a'], '1'), [expired]));
    const { informer, present, until } = follow(remoteApi(fake.url));
    await informer.synced;
    let lists = 0;
    const answers = [
      () => status(500, 'InternalError'),
      () => ({}),
      () => ({ kind: 'ServiceList', metadata: {}, items: [] }),
    ];
    const afterFailures = new Promise<void>((resolve) => {
      fake.answer = (request, response) => {
        if (isWatch(request)) return expired(request, response);
        const answer = answers[lists++ % answers.length]?.();
        if (lists > 3) resolve();
        json(response, answer, lists % 3 === 1 ? 500 : 200);
      };
    });
    await afterFailures;
    expect(present()).toEqual(['a']);
    fake.answer = listThenWatch(serviceList([], '20'), [silence]);
    await until(() => present().length === 0);
  });
});

describe('an HTTP proxy on the way', () => {
  it('is asked to connect to the API server', async () => {
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (message, client) => {
      asked.push(`${message.url} ${message.headers['proxy-authorization']}`);
      const [host, port] = (message.url ?? '').split(':');
      const server = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        server.pipe(client).pipe(server);
      });
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    onTestFinished(() => {
      proxy.closeAllConnections();
      proxy.close();
    });
    const fake = await startFakeApi((_request, response) => json(response, serviceList([], '1')));
    const proxyUrl = new URL(`http://user:pass@127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    const api = remoteApi(fake.url, {}, { proxy: proxyUrl });
    expect((await api.list(services)).resourceVersion).toBe('1');
    const target = new URL(fake.url).host;
    expect(asked).toEqual([`${target} Basic ${Buffer.from('user:pass').toString('base64')}`]);
  });
});

describe('writing over HTTP', () => {
  it('sends each operation as the API expects it', async () => {
    const fake = await startFakeApi((_request, response) => json(response, serviceObject('a', '2')));
    const api = remoteApi(fake.url);
    const object = { kind: 'Service', apiVersion: 'v1', ...serviceObject('a', '1') } as Service;
    await api.create(services, object);
    await api.update(services, object);
    await api.updateStatus(services, object);
    await api.patch(services, 'backend', 'a', { metadata: {} }, { subresource: 'status' });
    await api.patch(services, 'backend', 'a', {}, { type: 'apply', fieldManager: 'sluice', force: true });
    await api.delete(services, 'backend', 'a', { uid: 'u' });
    expect(fake.requests.map(({ method, path, query }) => `${method} ${path}?${query.toString()}`)).toEqual([
      'POST /api/v1/namespaces/backend/services?',
      'PUT /api/v1/namespaces/backend/services/a?',
      'PUT /api/v1/namespaces/backend/services/a/status?',
      'PATCH /api/v1/namespaces/backend/services/a/status?',
      'PATCH /api/v1/namespaces/backend/services/a?fieldManager=sluice&force=true',
      'DELETE /api/v1/namespaces/backend/services/a?',
    ]);
    expect(fake.requests[3]?.headers['content-type']).toBe('application/merge-patch+json');
    expect(JSON.parse(fake.requests[5]?.body ?? '')).toMatchObject({ preconditions: { uid: 'u' } });
  });
});
