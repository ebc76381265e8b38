/** Reads the kernel's tables of sockets (/proc/net/udp and its like; proc(5)). Pure. */

/** TCP_LISTEN, and what UDP sockets without a peer show (TCP_CLOSE): include/net/tcp_states.h. */
const listeningState: Readonly<Record<'tcp' | 'udp', string>> = { tcp: '0A', udp: '07' };

export interface BoundPort {
  /** IPv4 in dots; undefined for IPv6 other than mapped and unspecified. */
  readonly address: string | undefined;
  readonly port: number;
  /** What has arrived and the program has not taken yet. */
  readonly queuedBytes: number;
  /** Names the socket among the files of its process. */
  readonly inode: string;
}

/** What listens, from the text of `/proc/net/udp`, `udp6`, `tcp` or `tcp6`. */
export function readBoundPorts(protocol: 'tcp' | 'udp', table: string): BoundPort[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const columns = line.trim().split(/\s+/);
      const [, local = '', , state, queues = ''] = columns;
      const [address = '', port] = local.split(':');
      if (state !== listeningState[protocol] || port === undefined) return [];
      return [
        {
          address: readAddress(address),
          port: Number.parseInt(port, 16),
          inode: columns[9] ?? '',
          queuedBytes: receiveQueue(queues),
        },
      ];
    });
}

/** `tx_queue:rx_queue`, in hexadecimal. */
function receiveQueue(queues: string): number {
  return Number.parseInt(queues.split(':')[1] ?? '0', 16);
}

const mappedPrefix = '0000000000000000FFFF0000';

/** The table prints each 32-bit word as this machine's byte order has it: little-endian wherever Node runs today. */
function readAddress(hex: string): string | undefined {
  if (/^0+$/.test(hex)) return '0.0.0.0';
  if (hex.length === 8) return Buffer.from(hex, 'hex').reverse().join('.');
  return hex.startsWith(mappedPrefix) ? readAddress(hex.slice(mappedPrefix.length)) : undefined;
}
