/** Watches: one JSON event a line, for as long as the client stays. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, apiVersionOf, type KubeObject } from '../../kubernetes/index.ts';
import type { StoreEvent, Subscription } from '../store/types.ts';
import type { ApiContext } from './context.ts';
import type { AcceptedForm } from './negotiation.ts';
import { type IncludeObject, readIncludeObject, readSelection, tableOptions } from './reads.ts';
import { type ResourcePath, readBoolean, readInteger } from './request.ts';
import { badRequest, failureStatus } from './status.ts';
import { makeTable, partialMetadata } from './tables/index.ts';
import type { ServedType } from './types/served-type.ts';

/** Watches without a timeout of their own end after half an hour to an hour, as the real server's do. */
const defaultTimeoutSeconds = () => 1_800 + Math.floor(Math.random() * 1_800);

interface WatchRequest {
  readonly context: ApiContext;
  readonly served: ServedType;
  readonly path: ResourcePath;
  readonly query: URLSearchParams;
  readonly form: AcceptedForm;
}

/** Throws `ApiError` as long as nothing is sent. */
export function serveWatch(watch: WatchRequest, request: IncomingMessage, response: ServerResponse): void {
  const { context } = watch;
  if (context.counters.watches >= context.limits.maxWatches) {
    context.counters.refusedWatches += 1;
    throw new ApiError('TooManyRequests', 'Too many requests, please try again later.', {
      retryAfterSeconds: 1,
    });
  }
  new WatchStream(watch, response).start();
  request.resume();
}

class WatchStream {
  readonly #watch: WatchRequest;
  readonly #response: ServerResponse;
  readonly #bookmarks: boolean;
  #subscription: Subscription | undefined;
  #timers: NodeJS.Timeout[] = [];
  #definitionsSent = false;
  #open = false;
  /** What may wait for the client: the limit, on top of the objects that were there at the start. */
  #maxPendingBytes = Number.POSITIVE_INFINITY;
  readonly #includeObject: IncludeObject;

  constructor(watch: WatchRequest, response: ServerResponse) {
    this.#watch = watch;
    this.#response = response;
    this.#bookmarks = readBoolean(watch.query, 'allowWatchBookmarks');
    this.#includeObject = readIncludeObject(watch.query);
  }

  start(): void {
    const { context, served, path, query } = this.#watch;
    const initial = readInitialEvents(query);
    const version = query.get('resourceVersion') ?? '';
    if (version !== '' && !/^\d+$/.test(version)) {
      throw badRequest(
        `Invalid value: ${JSON.stringify(version)}: strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`,
      );
    }
    const selection = readSelection(query, path, served);
    const timeoutSeconds = readInteger(query, 'timeoutSeconds') || defaultTimeoutSeconds();
    const fresh = initial || version === '' || version === '0';
    const since = initial === false && fresh ? context.store.resourceVersion : fresh ? '' : version;
    try {
      this.#subscription = context.store.subscribe(served.type, {
        ...selection,
        ...(since && { resourceVersion: since }),
        onEvent: (event) => this.#send(event),
        onEnd: () => this.#end(),
      });
    } catch (error) {
      // Clients expect a version that is gone as an event.
      if (!(error instanceof ApiError) || error.reason !== 'Expired') throw error;
      this.#openStream();
      this.#write({ type: 'ERROR', object: failureStatus(error) });
      this.#response.end();
      return;
    }
    this.#openStream();
    if (initial) this.#sendBookmark({ 'k8s.io/initial-events-end': 'true' });
    context.counters.watches += 1;
    this.#open = true;
    this.#maxPendingBytes = this.#response.writableLength + context.limits.maxPendingBytes;
    this.#response.once('close', () => this.#end());
    this.#timers.push(setTimeout(() => this.#end(), timeoutSeconds * 1000));
    if (this.#bookmarks) {
      this.#timers.push(setInterval(() => this.#sendBookmark(), context.limits.bookmarkIntervalMs));
    }
    for (const timer of this.#timers) timer.unref();
  }

  #openStream(): void {
    if (this.#response.headersSent) return;
    this.#response.writeHead(200, {
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
    });
    this.#response.flushHeaders();
  }

  #end(): void {
    this.#release();
    this.#response.end();
  }

  #release(): void {
    this.#subscription?.close();
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#open) this.#watch.context.counters.watches -= 1;
    this.#open = false;
  }

  #send({ type, object }: StoreEvent): void {
    const { context, served, form } = this.#watch;
    this.#openStream();
    if (form.as === 'Table') {
      const options = tableOptions(context, served, this.#includeObject);
      const metadata = { resourceVersion: object.metadata.resourceVersion };
      const table = makeTable([object], metadata, { ...options, withDefinitions: !this.#definitionsSent });
      this.#definitionsSent = true;
      this.#write({ type, object: table });
    } else if (form.as?.startsWith('PartialObjectMetadata')) {
      this.#write({ type, object: partialMetadata(object) });
    } else this.#writeText(`{"type":"${type}","object":${objectText(object)}}\n`);
  }

  #sendBookmark(annotations?: Record<string, string>): void {
    const { served, form, context } = this.#watch;
    const metadata = {
      resourceVersion: context.store.resourceVersion,
      creationTimestamp: null,
      ...(annotations && { annotations }),
    };
    const plain = { kind: served.type.kind, apiVersion: apiVersionOf(served.type), metadata };
    const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
    if (form.as === 'Table') {
      const rows = [{ cells: served.columns.map(() => ''), object: partial }];
      const table = { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: null, rows };
      this.#write({ type: 'BOOKMARK', object: table });
    } else this.#write({ type: 'BOOKMARK', object: form.as ? partial : plain });
  }

  #write(event: { type: string; object: unknown }): void {
    this.#writeText(`${JSON.stringify(event)}\n`);
  }

  #writeText(text: string): void {
    if (this.#response.destroyed) return;
    this.#response.write(text);
    if (this.#response.writableLength <= this.#maxPendingBytes) return;
    this.#watch.context.counters.slowClients += 1;
    this.#release();
    this.#response.destroy();
  }
}

/** `sendInitialEvents` and what it demands. Throws BadRequest. */
function readInitialEvents(query: URLSearchParams): boolean | undefined {
  if (!query.has('sendInitialEvents')) return undefined;
  const wanted = readBoolean(query, 'sendInitialEvents');
  if (query.get('resourceVersionMatch') !== 'NotOlderThan') {
    throw badRequest(
      'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    );
  }
  if (wanted && !readBoolean(query, 'allowWatchBookmarks')) {
    throw badRequest(
      'sendInitialEvents: Forbidden: sendInitialEvents requires setting allowWatchBookmarks to true',
    );
  }
  return wanted;
}

const texts = new WeakMap<KubeObject, string>();

/** Made once for all watchers: the store's objects are frozen and shared. */
function objectText(object: KubeObject): string {
  const known = texts.get(object);
  if (known !== undefined) return known;
  const text = JSON.stringify(object);
  texts.set(object, text);
  return text;
}
