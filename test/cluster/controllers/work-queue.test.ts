import { describe, expect, it, onTestFinished } from 'vitest';
import { createWorkQueue } from '../../../src/cluster/controllers/work-queue.ts';
import { eventually } from '../eventually.ts';

function startQueue(handle: (key: string) => Promise<void>) {
  const errors: unknown[] = [];
  const queue = createWorkQueue({ handle, onError: (_key, error) => errors.push(error) });
  onTestFinished(() => queue.stop());
  return { queue, errors };
}

describe('a work queue', () => {
  it('handles a key once however often it is added before its turn', async () => {
    const handled: string[] = [];
    const { queue } = startQueue(async (key) => {
      handled.push(key);
    });
    for (const key of ['a', 'b', 'a', 'a', 'b']) queue.add(key);
    await eventually(() => expect(queue.size).toBe(0));
    expect(handled).toEqual(['a', 'b']);
  });

  it('handles a key again that was added while in hand, never twice at a time', async () => {
    let atOnce = 0;
    let most = 0;
    let runs = 0;
    const { queue } = startQueue(async () => {
      most = Math.max(most, ++atOnce);
      if (++runs === 1) queue.add('a');
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
    });
    queue.add('a');
    await eventually(() => expect(runs).toBe(2));
    await eventually(() => expect(queue.size).toBe(0));
    expect(most).toBe(1);
  });

  it('tries a key that failed again, the others meanwhile', async () => {
    const handled: string[] = [];
    const { queue, errors } = startQueue(async (key) => {
      handled.push(key);
      if (key === 'bad' && handled.filter((other) => other === 'bad').length < 3) throw new Error('not yet');
    });
    queue.add('bad');
    queue.add('good');
    await eventually(() => expect(handled).toEqual(['bad', 'good', 'bad', 'bad']));
    expect(errors).toHaveLength(2);
  });

  it('lets the event loop turn however much there is to do', async () => {
    let handled = 0;
    const { queue } = startQueue(async () => {
      handled++;
    });
    for (let key = 0; key < 1000; key++) queue.add(String(key));
    await new Promise((resolve) => setImmediate(resolve));
    expect(handled).toBeGreaterThan(0);
    expect(handled).toBeLessThan(1000);
    await eventually(() => expect(handled).toBe(1000));
  });

  it('once stopped takes nothing more on', async () => {
    const handled: string[] = [];
    const { queue } = startQueue(async (key) => {
      handled.push(key);
    });
    queue.addAfter('late', 1);
    queue.add('a');
    await queue.stop();
    queue.add('b');
    queue.addAfter('c', 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(handled).not.toContain('b');
  });
});
