import { describe, expect, it } from 'vitest';
import { readBoundPorts } from '../../../src/cluster/network/bound-ports.ts';

const header =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (local: string, state: string, inode = 77, queued = '00000000') =>
  `   0: ${local} 00000000:0000 ${state} 00000000:${queued} 00:00000000 00000000     0        0 ${inode} 2 0 0\n`;

describe("the kernel's table of sockets", () => {
  it('gives the addresses and ports that are bound', () => {
    const table = header + line('0200F40A:115C', '07') + line('00000000:115D', '07', 78, '00000300');
    expect(readBoundPorts('udp', table)).toEqual([
      { address: '10.244.0.2', port: 4444, inode: '77', queuedBytes: 0 },
      { address: '0.0.0.0', port: 4445, inode: '78', queuedBytes: 768 },
    ]);
  });

  it('leaves sockets out that have a peer, and TCP connections', () => {
    expect(readBoundPorts('udp', header + line('0200F40A:115C', '01'))).toEqual([]);
    expect(readBoundPorts('tcp', header + line('0200F40A:115C', '01'))).toEqual([]);
    expect(readBoundPorts('tcp', header + line('0200F40A:115C', '0A'))).toHaveLength(1);
  });

  it('gives what takes IPv4 of IPv6 sockets', () => {
    const unspecified = '00000000000000000000000000000000:115C';
    const mapped = '0000000000000000FFFF00000200F40A:115C';
    const other = '000080FE00000000FF005450B6AD1DFE:115C';
    const table = header + [unspecified, mapped, other].map((local) => line(local, '07')).join('');
    expect(readBoundPorts('udp', table).map(({ address }) => address)).toEqual([
      '0.0.0.0',
      '10.244.0.2',
      undefined,
    ]);
  });

  it('may be empty', () => {
    expect(readBoundPorts('udp', '')).toEqual([]);
  });
});
