import { describe, expect, it } from 'vitest';
import type { UdpDecision, WeightedService } from '../../../../src/dataplane/index.ts';
import { parseAddress } from '../../../../src/dataplane/udp/core/address.ts';
import { EndpointSlots } from '../../../../src/dataplane/udp/core/endpoint-slots.ts';
import { Plan } from '../../../../src/dataplane/udp/core/plan.ts';

function service(name: string, weight: number, addresses: readonly string[]): WeightedService {
  const endpoints = addresses.map((address) => ({ address, port: 53, state: 'ready' as const }));
  return { name, weight, endpoints };
}

function decisionOf(services: readonly WeightedService[]): UdpDecision {
  return { kind: 'forward', entryPoint: 'dns', route: { name: 'r', services } };
}

function planOf(services: readonly WeightedService[], slots = new EndpointSlots(), before?: Plan) {
  return { plan: new Plan(decisionOf(services), 'datagram', slots, before), slots };
}

const addressesUpTo = (count: number) => Array.from({ length: count }, (_, index) => `10.0.0.${index + 1}`);

function turns(plan: Plan, slots: EndpointSlots, count: number): string[] {
  return Array.from({ length: count }, () => slots.descriptions[plan.nextSlot(0, -1)]?.address ?? 'none');
}

describe('a plan', () => {
  it('interleaves services by weight: never a run of one where another is due', () => {
    const { plan, slots } = planOf([service('a', 3, ['10.0.0.1']), service('b', 1, ['10.0.0.2'])]);
    const order = turns(plan, slots, 8).map((address) => address.at(-1));
    expect(order.join('')).toBe('11211121');
  });

  it('skips an empty service instead of losing its share', () => {
    const { plan, slots } = planOf([service('a', 1, ['10.0.0.1']), service('empty', 5, [])]);
    expect(new Set(turns(plan, slots, 6))).toEqual(new Set(['10.0.0.1']));
  });

  it('goes on where the one before it stopped', () => {
    const three = [service('a', 1, addressesUpTo(3))];
    const { plan, slots } = planOf(three);
    expect(turns(plan, slots, 2)).toEqual(['10.0.0.1', '10.0.0.2']);
    const next = planOf(three, slots, plan).plan;
    expect(turns(next, slots, 2)).toEqual(['10.0.0.3', '10.0.0.1']);
    const fewer = planOf([service('a', 1, ['10.0.0.1', '10.0.0.3'])], slots, next).plan;
    expect(turns(fewer, slots, 2)).toEqual(['10.0.0.3', '10.0.0.1']);
  });

  it('keeps the weights exact over a thousand reloads', () => {
    const services = [service('a', 3, ['10.0.0.1']), service('b', 1, ['10.0.0.2'])];
    let { plan, slots } = planOf(services);
    const got = new Map<string, number>();
    for (let count = 0; count < 1000; count++) {
      plan = planOf(services, slots, plan).plan;
      for (const address of turns(plan, slots, 1)) got.set(address, (got.get(address) ?? 0) + 1);
    }
    expect(got).toEqual(
      new Map([
        ['10.0.0.1', 750],
        ['10.0.0.2', 250],
      ]),
    );
  });

  it('passes over endpoints in quarantine while there are others', () => {
    const { plan, slots } = planOf([service('a', 1, addressesUpTo(3))]);
    slots.quarantine(1, 0);
    expect(new Set(turns(plan, slots, 6))).toEqual(new Set(['10.0.0.1', '10.0.0.3']));
    slots.quarantine(0, 0);
    slots.quarantine(2, 0);
    expect(turns(plan, slots, 1)[0]).not.toBe('none');
    expect(plan.nextSlot(0, 1)).not.toBe(1);
    expect(plan.nextSlot(1e6, -1)).toBeGreaterThanOrEqual(0);
  });

  it('has no other endpoint than the one to avoid when it is alone', () => {
    const { plan } = planOf([service('a', 1, ['10.0.0.1'])]);
    expect(plan.nextSlot(0, 0)).toBe(0);
    expect(plan.nextSlot(0, -1)).toBe(0);
  });
});

describe('choosing by source', () => {
  const clients = 20_000;

  /** The address chosen for each client. */
  function placements(plan: Plan, slots: EndpointSlots): string[] {
    const key = new Uint32Array(4);
    return Array.from({ length: clients }, (_, index) => {
      parseAddress(`10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`, key);
      return slots.descriptions[plan.slotOfClient(key, 0, 0, 0, -1)]?.address ?? 'none';
    });
  }

  const shareOf = (places: readonly string[], address: string) =>
    places.filter((place) => place === address).length / places.length;

  it('is even, and weighted', () => {
    const even = planOf([service('a', 1, addressesUpTo(5))]);
    const places = placements(even.plan, even.slots);
    for (const address of addressesUpTo(5)) expect(shareOf(places, address)).toBeCloseTo(0.2, 1);
    const weighted = planOf([service('a', 3, ['10.0.0.1']), service('b', 1, ['10.0.0.2'])]);
    expect(shareOf(placements(weighted.plan, weighted.slots), '10.0.0.1')).toBeCloseTo(0.75, 1);
  });

  it('moves only the clients that a joining endpoint gains, and a leaving one loses', () => {
    const four = planOf([service('a', 1, addressesUpTo(4))]);
    const five = planOf([service('a', 1, addressesUpTo(5))]);
    const [before, after] = [placements(four.plan, four.slots), placements(five.plan, five.slots)];
    const moved = after.filter((place, index) => place !== before[index]);
    expect(moved.length / clients).toBeLessThan(0.23);
    expect(new Set(moved)).toEqual(new Set(['10.0.0.5']));
  });

  it('refuses the clients of a service that is refused, in proportion and always the same', () => {
    const missing = { ...service('missing', 1, []), refusal: 'no_service' as const };
    const { plan, slots } = planOf([service('a', 3, addressesUpTo(3)), missing]);
    const places = placements(plan, slots);
    expect(shareOf(places, 'none')).toBeCloseTo(0.25, 1);
    for (const address of addressesUpTo(3)) expect(shareOf(places, address)).toBeCloseTo(0.25, 1);
    expect(placements(plan, slots)).toEqual(places);
  });

  it('refuses no more of them while the endpoints are in quarantine', () => {
    const missing = { ...service('missing', 1, []), refusal: 'no_service' as const };
    const { plan, slots } = planOf([service('a', 3, ['10.0.0.1']), missing]);
    const places = placements(plan, slots);
    slots.quarantine(0, 0);
    expect(placements(plan, slots)).toEqual(places);
  });

  it('does not depend on the order in which endpoints are listed', () => {
    const one = planOf([service('a', 1, addressesUpTo(4))]);
    const other = planOf([service('a', 1, addressesUpTo(4).reverse())]);
    expect(placements(one.plan, one.slots)).toEqual(placements(other.plan, other.slots));
  });
});

describe('endpoint slots', () => {
  it('stay the same from table to table and are used again when their endpoint is gone', () => {
    const slots = new EndpointSlots();
    const ready = (address: string) => slots.claim({ address, port: 1, state: 'ready' }, 's');
    const [a, b] = [ready('10.0.0.1'), ready('10.0.0.2')];
    expect(ready('10.0.0.1')).toBe(a);
    slots.countForwarded(b, 10);
    expect(slots.keepOnly(new Set([a]))).toEqual([b]);
    expect(ready('10.0.0.3')).toBe(b);
    expect(slots.counters[b * 4]).toBe(0);
    expect(slots.claim({ address: 'not-an-address', port: 1, state: 'ready' }, 's')).toBe(-1);
  });

  it('are in quarantine for longer each time, until an answer comes', () => {
    const slots = new EndpointSlots();
    const slot = slots.claim({ address: '10.0.0.1', port: 1, state: 'ready' }, 's');
    slots.quarantine(slot, 0);
    expect([slots.isUsable(slot, 249), slots.isUsable(slot, 250)]).toEqual([false, true]);
    slots.quarantine(slot, 250);
    expect([slots.isUsable(slot, 749), slots.isUsable(slot, 750)]).toEqual([false, true]);
    slots.quarantine(slot, 750);
    slots.countReply(slot, 0);
    expect(slots.isUsable(slot, 751)).toBe(true);
  });
});
