/** Keys to be brought in order, each handled by one worker at a time, again where it failed or changed meanwhile. */

export interface WorkQueueOptions {
  /** Brings what the key names to what it should be. A throw leads to another try, later each time. */
  handle: (key: string) => Promise<void>;
  onError: (key: string, error: unknown) => void;
}

export interface WorkQueue {
  /** A key that waits already is not added again; one being handled is handled once more afterwards. */
  add(key: string): void;
  /** After a delay; of several delays for a key the shortest counts. */
  addAfter(key: string, delayMs: number): void;
  /** Keys that wait or are being handled. */
  readonly size: number;
  /** Resolves when the key in hand is done. What waits is dropped. */
  stop(): Promise<void>;
}

const firstRetryMs = 5;
const lastRetryMs = 30_000;
/**
 * A key that took long rests before its next turn, so that a burst of changes to something large is handled in a few
 * sweeps rather than one by one. What takes less than the threshold never waits.
 */
const restThresholdMs = 1;
const restFactor = 3;
const longestRestMs = 20;
/** Past this many the rests that are over are looked through and forgotten. */
const maxResting = 1024;
/** Beyond it a timer of Node fires at once. */
const longestTimerMs = 2 ** 31 - 1;
/** Keys handled before timers and sockets get their turn. */
const keysPerTurn = 64;

export function createWorkQueue({ handle, onError }: WorkQueueOptions): WorkQueue {
  const waiting = new Set<string>();
  const failures = new Map<string, number>();
  const restingUntilMs = new Map<string, number>();
  const timers = new Map<string, { timer: NodeJS.Timeout; dueMs: number }>();
  let inHand: string | undefined;
  let working: Promise<void> | undefined;
  let stopped = false;

  const handleOne = async (key: string) => {
    const startedMs = performance.now();
    try {
      await handle(key);
      failures.delete(key);
    } catch (error) {
      if (stopped) return;
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      addAfter(key, Math.min(firstRetryMs * 2 ** (count - 1), lastRetryMs));
      onError(key, error);
    }
    const endedMs = performance.now();
    const restMs = Math.min((endedMs - startedMs) * restFactor, longestRestMs);
    if (restMs <= restThresholdMs * restFactor) return;
    restingUntilMs.set(key, endedMs + restMs);
    if (restingUntilMs.size > maxResting) forgetRested(endedMs);
  };
  const forgetRested = (nowMs: number) => {
    for (const [key, untilMs] of restingUntilMs) if (untilMs <= nowMs) restingUntilMs.delete(key);
  };
  const work = async () => {
    let handled = 0;
    for (const key of waiting) {
      waiting.delete(key);
      inHand = key;
      await handleOne(key);
      inHand = undefined;
      if (stopped) return;
      if (++handled % keysPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    working = undefined;
  };
  const add = (key: string) => {
    if (stopped) return;
    const restMs = (restingUntilMs.get(key) ?? 0) - performance.now();
    if (restMs > 0) {
      addAfter(key, restMs);
      return;
    }
    restingUntilMs.delete(key);
    waiting.add(key);
    // In a microtask, so that changes committed together are handled together.
    working ??= Promise.resolve().then(work);
  };
  const addAfter = (key: string, delayMs: number) => {
    if (stopped) return;
    const dueMs = performance.now() + delayMs;
    const present = timers.get(key);
    if (present && present.dueMs <= dueMs) return;
    clearTimeout(present?.timer);
    const timer = setTimeout(
      () => {
        timers.delete(key);
        add(key);
      },
      Math.min(delayMs, longestTimerMs),
    );
    timers.set(key, { timer, dueMs });
  };

  return {
    add,
    addAfter,
    get size() {
      return waiting.size + (inHand === undefined ? 0 : 1);
    },
    async stop() {
      stopped = true;
      waiting.clear();
      for (const { timer } of timers.values()) clearTimeout(timer);
      timers.clear();
      await working;
    },
  };
}
