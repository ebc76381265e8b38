/** Brings a pod's status to the API: the newest only, one write at a time. */

import { isDeepStrictEqual } from 'node:util';
import { ApiError, type ObjectApi, type Pod, pods } from '../../kubernetes/index.ts';
import { pause } from './timing.ts';

const retryMs = 500;

export class StatusWriter {
  private readonly api: ObjectApi;
  private readonly compose: () => Pod;
  private readonly onError: (error: unknown) => void;
  private isStale = false;
  private writing: Promise<void> | undefined;
  private written: unknown;
  private readonly closed = new AbortController();

  /** `compose` gives the pod with its status as it is now. */
  constructor(api: ObjectApi, compose: () => Pod, onError: (error: unknown) => void) {
    this.api = api;
    this.compose = compose;
    this.onError = onError;
  }

  /** Writes soon, if there is anything new. */
  touch(): void {
    if (this.closed.signal.aborted) return;
    this.isStale = true;
    this.writing ??= this.write();
  }

  /** Resolves when the status is written as it is now. */
  async flush(): Promise<void> {
    this.touch();
    while (this.writing) await this.writing;
  }

  close(): void {
    this.closed.abort();
  }

  private async write(): Promise<void> {
    // Changes of one function are one write, and so are those of one turn of the event loop after it.
    await Promise.resolve();
    for (; this.isStale && !this.closed.signal.aborted; await new Promise(setImmediate)) {
      this.isStale = false;
      const pod = this.compose();
      if (isDeepStrictEqual(pod.status, this.written)) continue;
      try {
        await this.api.updateStatus(pods, pod);
        this.written = structuredClone(pod.status);
      } catch (error) {
        // The pod is gone, or another bears its name: there is nothing to write to.
        if (error instanceof ApiError && (error.reason === 'NotFound' || error.reason === 'Conflict')) break;
        this.onError(error);
        this.isStale = true;
        await pause(retryMs, this.closed.signal);
      }
    }
    this.writing = undefined;
  }
}
