import { describe, expect, it } from 'vitest';
import { dropsOf } from '../../../../src/dataplane/udp/dgram/kernel-drops.ts';

/** As Linux writes it, with a user (and a timeout) whose number is another socket's inode. */
const table = Buffer.from(`\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            
 7713: 0100007F:BB58 00000000:0000 07 00000000:00000000 00:00000000 00000000   777      777 2797404 2 00000000b690b78e 5 
 7714: 0100007F:BB59 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 777 2 00000000b690b78f -2 
`);

describe('the drops in a table of sockets', () => {
  it('are those of the socket with the inode, and no number of another column', () => {
    expect(dropsOf(table, '2797404')).toBe(5);
    expect(dropsOf(table, '777')).toBe(2 ** 32 - 2);
    expect(dropsOf(table, '0')).toBeUndefined();
    expect(dropsOf(table, '404')).toBeUndefined();
    expect(dropsOf(Buffer.alloc(0), '777')).toBeUndefined();
  });
});
