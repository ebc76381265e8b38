import type { Clients } from './clients.ts';
import type { ClosedLoopPlan, LoadResult } from './load-plan.ts';
import { Meter, nowUs } from './meter.ts';

/** A client that has heard nothing for this long sends again what it is missing, and counts it as lost. */
const givenUpAfterUs = 2_000_000;
const checkEveryUs = 10_000;
/** Datagrams that leave together at the start: opening a session takes longest, and the receive buffer is soon full. */
const mostAtOnce = 200;

/** Keeps every client's datagrams on the way until the time is over. */
export function runClosedLoop(clients: Clients, plan: ClosedLoopPlan): LoadResult {
  const loop = new ClosedLoop(clients, plan);
  loop.run(plan.warmUpSeconds);
  loop.meter.start();
  loop.run(plan.seconds);
  return loop.meter.finish();
}

class ClosedLoop {
  readonly meter: Meter;
  readonly #clients: Clients;
  readonly #outstanding: number;
  readonly #onTheWay: Int32Array;
  readonly #nextNumber: Uint32Array;
  readonly #newest: Uint32Array;
  readonly #lastHeard: Float64Array;
  #nextToCheck = 0;

  constructor(clients: Clients, plan: ClosedLoopPlan) {
    this.meter = new Meter(plan);
    this.#clients = clients;
    this.#outstanding = plan.outstanding;
    this.#onTheWay = new Int32Array(clients.count);
    this.#nextNumber = new Uint32Array(clients.count).fill(1);
    this.#newest = new Uint32Array(clients.count);
    this.#lastHeard = new Float64Array(clients.count).fill(Number.NEGATIVE_INFINITY);
  }

  run(seconds: number): void {
    const { poller } = this.#clients;
    const end = nowUs() + seconds * 1e6;
    let check = 0;
    for (let now = nowUs(); now < end; now = nowUs()) {
      if (now >= check) {
        this.#refill(now);
        check = now + checkEveryUs;
      }
      const count = poller.wait(20);
      for (let index = 0; index < count; index += 1) this.#answer(poller.key(index));
    }
  }

  #answer(client: number): void {
    const count = this.#clients.receive(client, this.#outstanding);
    if (count <= 0) return;
    const now = nowUs();
    for (let slot = 0; slot < count; slot += 1) {
      const number = this.#clients.numberIn(client, slot);
      if (number < (this.#newest[client] as number)) this.meter.reordered += 1;
      else this.#newest[client] = number;
      this.meter.latency.record(now - this.#clients.timeIn(slot));
    }
    this.meter.received += count;
    this.#onTheWay[client]! -= count;
    this.#lastHeard[client] = now;
    this.#send(client, now);
  }

  #send(client: number, now: number): void {
    // A late answer to a datagram given up before may leave more on the way than there should be.
    const missing = this.#outstanding - (this.#onTheWay[client] as number);
    if (missing <= 0) return;
    const number = this.#nextNumber[client] as number;
    const sent = this.#clients.send(client, missing, number, now);
    this.#nextNumber[client] = number + sent;
    this.#onTheWay[client]! += sent;
    this.meter.sent += sent;
  }

  #refill(now: number): void {
    let room = mostAtOnce;
    for (let step = 0; step < this.#clients.count && room > 0; step += 1) {
      const client = this.#nextToCheck;
      this.#nextToCheck = client + 1 === this.#clients.count ? 0 : client + 1;
      const silent = now - (this.#lastHeard[client] as number) > givenUpAfterUs;
      if (!silent) continue;
      this.meter.lost += Math.max(0, this.#onTheWay[client] as number);
      this.#onTheWay[client] = 0;
      this.#lastHeard[client] = now;
      this.#send(client, now);
      room -= this.#outstanding;
    }
  }
}
