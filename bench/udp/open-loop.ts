import { IntervalTimer, type Libc, pollEvents } from '../../src/dataplane/native/index.ts';
import { type Clients, maxBurst, timerKey } from './clients.ts';
import type { LoadResult, OpenLoopPlan } from './load-plan.ts';
import { Meter, nowUs } from './meter.ts';

const tickUs = 100;
/** How long answers are waited for once the last datagram has left. */
const graceSeconds = 0.3;

/** Sends at a steady rate. A datagram's time is when it was due, so that a late start counts as latency. */
export function runOpenLoop(libc: Libc, clients: Clients, plan: OpenLoopPlan): LoadResult {
  const timer = new IntervalTimer(libc, tickUs);
  clients.poller.add(timer.fd, pollEvents.readable, timerKey);
  const loop = new OpenLoop(clients, plan, timer);
  loop.run(plan.warmUpSeconds, plan.ratePerSecond);
  loop.run(graceSeconds, 0);
  loop.meter.start();
  loop.run(plan.seconds, plan.ratePerSecond);
  const { seconds, cpuSeconds, ownCpuSeconds } = loop.meter.finish();
  loop.run(graceSeconds, 0);
  const { sent, received } = loop.meter;
  return { ...loop.meter.finish(), seconds, cpuSeconds, ownCpuSeconds, lost: sent - received };
}

class OpenLoop {
  readonly meter: Meter;
  readonly #clients: Clients;
  readonly #timer: IntervalTimer;
  readonly #isStamped: boolean;
  readonly #nextNumber: Uint32Array;
  readonly #newest: Uint32Array;
  #turn = 0;

  constructor(clients: Clients, plan: OpenLoopPlan, timer: IntervalTimer) {
    this.meter = new Meter(plan);
    this.#clients = clients;
    this.#timer = timer;
    this.#isStamped = plan.isStamped === true;
    this.#nextNumber = new Uint32Array(clients.count).fill(1);
    this.#newest = new Uint32Array(clients.count);
  }

  run(seconds: number, ratePerSecond: number): void {
    const { poller } = this.#clients;
    const start = nowUs();
    const end = start + seconds * 1e6;
    let sent = 0;
    for (let now = start; now < end; now = nowUs()) {
      const due = Math.floor(((now - start) * ratePerSecond) / 1e6);
      for (; sent < due; sent += 1) this.#send(start + (sent * 1e6) / ratePerSecond);
      const count = poller.wait(20);
      for (let index = 0; index < count; index += 1) this.#receive(poller.key(index));
    }
  }

  #send(due: number): void {
    const client = this.#turn;
    this.#turn = client + 1 === this.#clients.count ? 0 : client + 1;
    const number = this.#nextNumber[client] as number;
    this.#nextNumber[client] = number + 1;
    // What does not leave counts as sent, and so as lost.
    this.#clients.send(client, 1, number, due);
    this.meter.sent += 1;
  }

  #receive(client: number): void {
    if (client === timerKey) {
      this.#timer.elapsed();
      return;
    }
    const count = this.#clients.receive(client, maxBurst);
    const now = nowUs();
    for (let slot = 0; slot < count; slot += 1) {
      const number = this.#clients.numberIn(client, slot);
      if (number < (this.#newest[client] as number)) this.meter.reordered += 1;
      else this.#newest[client] = number;
      this.meter.latency.record(now - this.#clients.timeIn(slot));
      if (this.#isStamped) this.meter.inProxy.record(this.#clients.inProxyUs(slot));
    }
    if (count > 0) this.meter.received += count;
  }
}
