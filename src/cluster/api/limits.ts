/** What may grow, up to where, and how often that was reached. */

export interface ApiLimits {
  /** Of a request's body. Default 3 MiB, the real server's. */
  readonly maxBodyBytes: number;
  /** Of a request's line and headers together. Default 64 KiB. */
  readonly maxHeaderBytes: number;
  /** Open connections. Default 4,096. */
  readonly maxConnections: number;
  /** Open watches. Default 4,096. */
  readonly maxWatches: number;
  /** Bytes that wait for a client that does not read; past it its watch ends. Default 16 MiB. */
  readonly maxPendingBytes: number;
  /** Open exec, attach and port-forward sessions. Default 256. */
  readonly maxStreams: number;
  /** Between bookmarks of a watch. Default 60 s, as the real server. */
  readonly bookmarkIntervalMs: number;
}

export const defaultLimits: ApiLimits = {
  maxBodyBytes: 3 * 2 ** 20,
  maxHeaderBytes: 64 * 2 ** 10,
  maxConnections: 4_096,
  maxWatches: 4_096,
  maxPendingBytes: 16 * 2 ** 20,
  maxStreams: 256,
  bookmarkIntervalMs: 60_000,
};

export interface ApiCounters {
  requests: number;
  /** Answers of 500 and above. */
  faults: number;
  watches: number;
  streams: number;
  /** Requests without the secret prefix, or with a foreign Host or Origin. */
  refusedForeign: number;
  refusedBodies: number;
  refusedWatches: number;
  refusedStreams: number;
  refusedConnections: number;
  /** Watches ended because the client did not read. */
  slowClients: number;
}

export function newCounters(): ApiCounters {
  return {
    requests: 0,
    faults: 0,
    watches: 0,
    streams: 0,
    refusedForeign: 0,
    refusedBodies: 0,
    refusedWatches: 0,
    refusedStreams: 0,
    refusedConnections: 0,
    slowClients: 0,
  };
}
