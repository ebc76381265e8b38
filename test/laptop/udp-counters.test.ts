import { describe, expect, it } from 'vitest';
import { readUdpCounters } from '../../src/laptop/udp-counters.ts';

const scrape = (
  datagrams: number,
  dropped: number,
) => `# HELP sluice_udp_datagrams_in_total Datagrams from clients.
# TYPE sluice_udp_datagrams_in_total counter
sluice_udp_datagrams_in_total{entrypoint="myudp"} ${datagrams}
sluice_udp_datagrams_forwarded_total{entrypoint="myudp"} ${datagrams - dropped}
sluice_udp_datagrams_out_total{entrypoint="myudp"} ${datagrams - dropped}
sluice_udp_drops_total{entrypoint="myudp",reason="no_route"} ${dropped}
sluice_udp_drops_total{entrypoint="myudp",reason="denied"} 0
sluice_tcp_connections_accepted_total{entrypoint="mytcp"} 7
`;

describe('the counters of the ingress pods', () => {
  it('are summed over the pods, by entry point, with the reasons that occurred', () => {
    expect(readUdpCounters([scrape(10, 2), scrape(5, 1)])).toEqual([
      {
        entryPoint: 'myudp',
        datagramsIn: 15,
        datagramsForwarded: 12,
        datagramsOut: 12,
        drops: { no_route: 3 },
      },
    ]);
  });

  it('are none where no pod answered', () => {
    expect(readUdpCounters([])).toEqual([]);
  });
});
