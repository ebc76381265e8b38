import { describe, expect, it } from 'vitest';
import { SharedBucket, sharedBucketBytes } from '../../../../src/dataplane/udp/core/shared-bucket.ts';

describe('a bucket that threads share', () => {
  it('lets through no more at once than its burst, or 2,000,000 where that is more', () => {
    for (const [burst, most] of [
      [3, 3],
      [1e9, 2_000_000],
    ] as const) {
      const bucket = new SharedBucket(new SharedArrayBuffer(sharedBucketBytes), 1, burst);
      let taken = 0;
      while (bucket.take(1_000)) taken++;
      expect(taken).toBe(most);
    }
  });
});
