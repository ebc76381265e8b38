/**
 * `ObjectApi` over HTTP to a real cluster. A list is always a consistent one, in pages: one from an API server's cache may be
 * older than what a watch has shown already, and routes would go back in time. A watch survives what client-go's
 * reflector survives: it goes on from the last version after a cut, a silence, a refusal to connect or a 429, and throws
 * Expired only when the API no longer remembers that version.
 */

import { ApiError, type ListOptions, type ObjectApi, type WatchEvent, type WatchOptions } from '../api.ts';
import type { KubeObject } from '../objects.ts';
import { apiVersionOf, type ResourceType } from '../resource-types.ts';
import { formatLabelSelector } from '../selectors.ts';
import type { ClusterAccess } from './access.ts';
import {
  isRecord,
  listPage,
  objectOf,
  readJson,
  statusError,
  UnusableAnswerError,
  withoutBookkeeping,
} from './responses.ts';
import { RetryGate, type RetryPolicy, reflectorRetry } from './retry-gate.ts';
import { createTransport, type Transport, type TransportRequest } from './transport.ts';
import { readLines, WatchSyntaxError } from './watch-lines.ts';

export interface RemoteApiOptions {
  readonly retry?: Partial<RetryPolicy>;
  /** Longest silence while an answer is awaited or read. 30,000 when absent. */
  readonly silenceMs?: number;
  /**
   * Longest silence of a watch, after which it is made anew from where it was. 130,000 when absent: the API sends a
   * bookmark about every minute.
   */
  readonly watchSilenceMs?: number;
  /** The API is asked to end a watch after a time between this and twice this. 300,000 when absent. */
  readonly watchLifeMs?: number;
  /** Objects in one page of a list. 500 when absent. */
  readonly pageSize?: number;
  readonly userAgent?: string;
  /** Told when a list-and-watch begins to fail and when it works again. */
  onHealthChange?(change: HealthChange): void;
  readonly now?: () => number;
}

export interface HealthChange {
  /** The plural, with its namespace where one is watched. */
  readonly resource: string;
  /** Undefined: it works again. */
  readonly error: string | undefined;
}

/** A list-and-watch that the API does not answer at present: what is known of it may be old. */
export interface StaleResource {
  readonly resource: string;
  readonly sinceMs: number;
  readonly error: string;
}

export interface RemoteApiCounters {
  readonly requests: number;
  /** No answer, an unusable one, 5xx or 429. */
  readonly failures: number;
  readonly lists: number;
  /** Watches opened, the first of each and those made anew. */
  readonly watches: number;
  readonly watchEvents: number;
  readonly bookmarks: number;
  /** Watches ended by silence. */
  readonly silences: number;
}

export type PatchType = 'merge' | 'json' | 'strategic' | 'apply';

export interface RemoteApi extends ObjectApi {
  /** Resolves with the object as patched. `apply` is server-side apply under `fieldManager`. */
  patch<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    namespace: string | undefined,
    name: string,
    patch: unknown,
    options?: { type?: PatchType; subresource?: 'status'; fieldManager?: string; force?: boolean },
  ): Promise<Kind>;
  /** Any path of the API: `/version`, `/apis/traefik.io/v1alpha1`. */
  read(path: string): Promise<unknown>;
  /** Empty while everything that is watched is up to date. */
  readonly stale: readonly StaleResource[];
  readonly counters: RemoteApiCounters;
  /** Where the API is, for logs. */
  readonly origin: string;
  /** Of the pod that this process runs in, where it runs in one. */
  readonly podNamespace: string | undefined;
  /** Ends every request. Keeps nothing open. */
  close(): void;
}

export function createRemoteApi(access: ClusterAccess, options: RemoteApiOptions = {}): RemoteApi {
  return new HttpObjectApi(access, options);
}

const contentTypes: Readonly<Record<PatchType, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** A watch that ends sooner, having said nothing, is not made anew at once. */
const shortWatchMs = 1000;

/** After this many answers of 5xx in a row a watch gives up, and whoever watches lists again. */
const maxRefusals = 5;

class HttpObjectApi implements RemoteApi {
  readonly origin: string;
  readonly podNamespace: string | undefined;
  readonly counters = {
    requests: 0,
    failures: 0,
    lists: 0,
    watches: 0,
    watchEvents: 0,
    bookmarks: 0,
    silences: 0,
  };
  private readonly transport: Transport;
  private readonly options: RemoteApiOptions;
  private readonly now: () => number;
  private readonly closing = new AbortController();
  private readonly gates = new Map<string, RetryGate>();

  constructor(access: ClusterAccess, options: RemoteApiOptions) {
    this.options = options;
    this.origin = access.origin;
    this.podNamespace = access.podNamespace;
    this.now = options.now ?? Date.now;
    this.transport = createTransport(access, {
      silenceMs: options.silenceMs ?? 30_000,
      userAgent: options.userAgent ?? 'sluice',
    });
  }

  get stale(): readonly StaleResource[] {
    return [...this.gates].flatMap(([resource, { failing }]) => (failing ? [{ resource, ...failing }] : []));
  }

  read(path: string): Promise<unknown> {
    return this.json({ method: 'GET', path });
  }

  async get<Kind extends KubeObject>(type: ResourceType<Kind>, namespace: string | undefined, name: string) {
    return objectOf(type, await this.json({ method: 'GET', path: pathOf(type, namespace, name) }));
  }

  async create<Kind extends KubeObject>(type: ResourceType<Kind>, object: Kind): Promise<Kind> {
    const path = pathOf(type, object.metadata.namespace);
    return objectOf(type, await this.json({ method: 'POST', path, body: JSON.stringify(object) }));
  }

  async update<Kind extends KubeObject>(type: ResourceType<Kind>, object: Kind): Promise<Kind> {
    const path = pathOf(type, object.metadata.namespace, object.metadata.name);
    return objectOf(type, await this.json({ method: 'PUT', path, body: JSON.stringify(object) }));
  }

  async updateStatus<Kind extends KubeObject>(type: ResourceType<Kind>, object: Kind): Promise<Kind> {
    const path = `${pathOf(type, object.metadata.namespace, object.metadata.name)}/status`;
    return objectOf(type, await this.json({ method: 'PUT', path, body: JSON.stringify(object) }));
  }

  async patch<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    namespace: string | undefined,
    name: string,
    patch: unknown,
    options: Parameters<RemoteApi['patch']>[4] = {},
  ): Promise<Kind> {
    const subresource = options.subresource ? `/${options.subresource}` : '';
    const value = await this.json({
      method: 'PATCH',
      path: `${pathOf(type, namespace, name)}${subresource}`,
      query: { fieldManager: options.fieldManager, force: options.force ? 'true' : undefined },
      contentType: contentTypes[options.type ?? 'merge'],
      body: JSON.stringify(patch),
    });
    return objectOf(type, value);
  }

  async delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: { gracePeriodSeconds?: number; uid?: string; propagationPolicy?: string } = {},
  ): Promise<void> {
    const { uid, ...rest } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...rest,
      ...(uid ? { preconditions: { uid } } : {}),
    };
    const path = pathOf(type, namespace, name);
    await this.json({ method: 'DELETE', path, body: JSON.stringify(body) });
  }

  async list<Kind extends KubeObject>(type: ResourceType<Kind>, selection: ListOptions = {}) {
    const gate = this.gate(type, selection);
    await gate.pass(this.closing.signal);
    try {
      const list = await this.listPages(type, selection);
      this.answered(type, selection);
      return list;
    } catch (error) {
      // A type that is not served has no objects: that is no stale knowledge. Asking again has time all the same.
      if (error instanceof ApiError && error.reason === 'NotFound') gate.pauseNext();
      else this.failed(type, selection, error);
      throw error;
    }
  }

  async *watch<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    options: WatchOptions = {},
  ): AsyncGenerator<WatchEvent<Kind>> {
    const signal = options.signal
      ? AbortSignal.any([options.signal, this.closing.signal])
      : this.closing.signal;
    let version = options.resourceVersion;
    if (version === undefined) {
      const { items, resourceVersion } = await this.list(type, options);
      for (const object of items) yield { type: 'ADDED', object };
      version = resourceVersion;
    }
    const gate = this.gate(type, options);
    const position = { version, isOpen: false };
    let refusals = 0;
    while (!signal.aborted) {
      await gate.pass(signal);
      if (signal.aborted) return;
      const startedMs = this.now();
      const versionBefore = position.version;
      position.isOpen = false;
      try {
        yield* this.watchOnce(type, options, position, signal);
        refusals = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isPermanent(error)) throw error;
        this.interrupted(type, options, error, position.isOpen);
        // An API that answers, and cannot do this: perhaps it can after a new list.
        refusals = error instanceof ApiError && error.code >= 500 ? refusals + 1 : 0;
        if (refusals >= maxRefusals) throw error;
      }
      const saidNothing = position.version === versionBefore && this.now() - startedMs < shortWatchMs;
      if (saidNothing && !gate.failing) gate.pauseNext();
    }
  }

  close(): void {
    this.closing.abort();
    this.transport.close();
  }

  /** One HTTP request's worth of a watch. `position` follows every event and bookmark. */
  private async *watchOnce<Kind extends KubeObject>(
    type: ResourceType<Kind>,
    options: WatchOptions,
    position: { version: string; isOpen: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<Kind>> {
    const lifeMs = (this.options.watchLifeMs ?? 300_000) * (1 + Math.random());
    this.counters.watches++;
    const body = await this.open({
      method: 'GET',
      path: pathOf(type, options.namespace),
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: position.version,
        timeoutSeconds: String(Math.max(1, Math.round(lifeMs / 1000))),
        labelSelector: selectorText(options),
      },
      signal,
      silenceMs: this.options.watchSilenceMs ?? 130_000,
    });
    if (body.statusCode !== 200) {
      await readJson(body);
      throw new UnusableAnswerError(`the API answered a watch with ${body.statusCode}`);
    }
    this.answered(type, options);
    position.isOpen = true;
    try {
      for await (const line of readLines(body)) {
        const event = this.readEvent(type, line);
        const { resourceVersion } = event.object.metadata;
        if (resourceVersion !== undefined && isOlder(resourceVersion, position.version)) {
          throw new ApiError(
            'Expired',
            `the versions of ${type.plural} have begun anew: the API lost its state`,
          );
        }
        position.version = resourceVersion ?? position.version;
        if (event.type === 'BOOKMARK') continue;
        yield { type: event.type, object: event.object };
      }
    } finally {
      body.destroy();
    }
  }

  private readEvent<Kind extends KubeObject>(type: ResourceType<Kind>, line: string) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw new WatchSyntaxError(`the watch of ${type.plural} sent what is not JSON`, { cause });
    }
    const event = isRecord(value) ? value : {};
    const { object } = event;
    if (event.type === 'ERROR') throw statusError(isRecord(object) ? object : {});
    if (event.type === 'BOOKMARK') {
      this.counters.bookmarks++;
      const metadata = isRecord(object) && isRecord(object.metadata) ? object.metadata : {};
      return { type: event.type, object: { metadata } as unknown as Kind } as const;
    }
    if (event.type !== 'ADDED' && event.type !== 'MODIFIED' && event.type !== 'DELETED') {
      throw new WatchSyntaxError(`the watch of ${type.plural} sent an event of type ${String(event.type)}`);
    }
    this.counters.watchEvents++;
    return { type: event.type, object: withoutBookkeeping(objectOf(type, object)) } as const;
  }

  private async listPages<Kind extends KubeObject>(type: ResourceType<Kind>, selection: ListOptions) {
    this.counters.lists++;
    const limit = String(this.options.pageSize ?? 500);
    const page = async (query: Record<string, string | undefined>) => {
      const path = pathOf(type, selection.namespace);
      const whole = { ...query, labelSelector: selectorText(selection) };
      return listPage(type, await this.json({ method: 'GET', path, query: whole }));
    };
    const first = await page({ limit });
    const items = first.items;
    let next = first.continue;
    while (next !== undefined) {
      try {
        const more = await page({ limit, continue: next });
        for (const item of more.items) items.push(item);
        next = more.continue;
      } catch (error) {
        if (!(error instanceof ApiError && error.reason === 'Expired')) throw error;
        // The pages were made at a version that is forgotten by now: all at once, as client-go's pager does.
        const whole = await page({});
        return { items: whole.items, resourceVersion: whole.resourceVersion };
      }
    }
    return { items, resourceVersion: first.resourceVersion };
  }

  private async json(request: Omit<TransportRequest, 'signal'>): Promise<unknown> {
    return readJson(await this.open({ ...request, signal: this.closing.signal }));
  }

  private async open(request: TransportRequest) {
    this.counters.requests++;
    return this.transport.send(request);
  }

  private gate(type: ResourceType, { namespace }: ListOptions): RetryGate {
    const key = resourceName(type, namespace);
    const known = this.gates.get(key);
    if (known) return known;
    const gate = new RetryGate({ ...reflectorRetry, ...this.options.retry }, this.now);
    this.gates.set(key, gate);
    return gate;
  }

  private answered(type: ResourceType, selection: ListOptions): void {
    if (!this.gate(type, selection).succeeded()) return;
    this.options.onHealthChange?.({ resource: resourceName(type, selection.namespace), error: undefined });
  }

  private failed(type: ResourceType, selection: ListOptions, error: unknown): void {
    if (this.closing.signal.aborted) return;
    this.counters.failures++;
    const retryAfterMs = error instanceof ApiError ? (error.details?.retryAfterSeconds ?? 0) * 1000 : 0;
    if (!this.gate(type, selection).failed(error, retryAfterMs)) return;
    this.options.onHealthChange?.({
      resource: resourceName(type, selection.namespace),
      error: String(error),
    });
  }

  /** A watch that was open and broke is ordinary; one that could not be opened, or sends nonsense, is a failure. */
  private interrupted(type: ResourceType, options: WatchOptions, error: unknown, wasOpen: boolean): void {
    const name = error instanceof Error ? error.name : '';
    if (name === 'SilentApiError') this.counters.silences++;
    if (!wasOpen || !isCut(error)) this.failed(type, options, error);
  }
}

/** Versions are numbers that grow (Kubernetes 1.35 says so at last); what is no number is not compared. */
function isOlder(version: string, than: string): boolean {
  return /^\d+$/.test(version) && /^\d+$/.test(than) && BigInt(version) < BigInt(than);
}

/** What the same request will meet again: to be told to whoever watches. */
function isPermanent(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.reason === 'TooManyRequests') return false;
  // A version from the future is one of a state that was lost: 504 with this cause.
  const isTooLarge = error.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge');
  return error.code < 500 || isTooLarge === true;
}

/** The connection ended in the middle of an answer. */
function isCut(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return (
    name === 'SilentApiError' ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code === 'ERR_STREAM_PREMATURE_CLOSE' ||
    code === 'HPE_INVALID_EOF_STATE'
  );
}

function selectorText({ labelSelector }: ListOptions): string | undefined {
  return formatLabelSelector(labelSelector) || undefined;
}

function resourceName(type: ResourceType, namespace: string | undefined): string {
  return namespace === undefined ? type.plural : `${namespace}/${type.plural}`;
}

function pathOf(type: ResourceType, namespace: string | undefined, name?: string): string {
  const root = type.group ? `/apis/${apiVersionOf(type)}` : `/api/${type.version}`;
  const within =
    type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${within}/${type.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
