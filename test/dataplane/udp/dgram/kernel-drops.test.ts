import { describe, expect, it } from 'vitest';
import { socketDrops } from '../../../../src/dataplane/udp/dgram/kernel-drops.ts';

/** As Linux writes it. */
const table = Buffer.from(`\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            
 7713: 0100007F:BB58 00000000:0000 07 00000000:00000000 00:00000000 00000000   777      777 2797404 2 00000000b690b78e 5            
 7714: 0100007F:BB59 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2797405 2 00000000b690b78f 0            
 7715: 00000000000000000000000001000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 777 2 00000000b690b78f -2
 7716: 0100007F:BB5A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2797406 2 00000000b690b78f 10
`);

describe('the drops in a table of sockets', () => {
  it('are those of the sockets that have any', () => {
    expect(socketDrops(table)).toEqual([
      { inode: '2797404', port: 0xbb58, drops: 5 },
      { inode: '777', port: 53, drops: 2 ** 32 - 2 },
      { inode: '2797406', port: 0xbb5a, drops: 10 },
    ]);
    expect(socketDrops(Buffer.alloc(0))).toEqual([]);
  });
});
