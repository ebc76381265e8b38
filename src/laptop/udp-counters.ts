/** The UDP counters of the ingress, read from its metrics. */

export interface UdpPathCounters {
  readonly entryPoint: string;
  /** From clients. */
  readonly datagramsIn: number;
  /** Handed to an endpoint. */
  readonly datagramsForwarded: number;
  /** Answers delivered to clients. */
  readonly datagramsOut: number;
  /** By reason; those above zero. */
  readonly drops: Readonly<Record<string, number>>;
}

const fields: Readonly<Record<string, 'datagramsIn' | 'datagramsForwarded' | 'datagramsOut'>> = {
  sluice_udp_datagrams_in_total: 'datagramsIn',
  sluice_udp_datagrams_forwarded_total: 'datagramsForwarded',
  sluice_udp_datagrams_out_total: 'datagramsOut',
};

/** Texts of Prometheus' exposition format, summed by entry point. */
export function readUdpCounters(texts: readonly string[]): UdpPathCounters[] {
  const found = new Map<string, Mutable<UdpPathCounters>>();
  for (const line of texts.flatMap((text) => text.split('\n'))) {
    const [, name = '', labels = '', value = ''] = /^(sluice_udp_\w+)\{([^}]*)\} (\S+)$/.exec(line) ?? [];
    const { entrypoint: entryPoint, reason } = labelsOf(labels);
    if (entryPoint === undefined) continue;
    const one = found.get(entryPoint) ?? newCounters(entryPoint);
    found.set(entryPoint, one);
    const field = fields[name];
    if (field) one[field] += Number(value);
    else if (name === 'sluice_udp_drops_total' && reason !== undefined && Number(value) > 0) {
      one.drops = { ...one.drops, [reason]: (one.drops[reason] ?? 0) + Number(value) };
    }
  }
  return [...found.values()];
}

type Mutable<Type> = { -readonly [Field in keyof Type]: Type[Field] };

function newCounters(entryPoint: string): Mutable<UdpPathCounters> {
  return { entryPoint, datagramsIn: 0, datagramsForwarded: 0, datagramsOut: 0, drops: {} };
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
}
