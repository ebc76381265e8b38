/** The cluster's name server: what CoreDNS is to a real cluster, for names of Services and pods only. */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  createInformer,
  type EndpointSlice,
  endpointSlices,
  type Informer,
  type ObjectApi,
  type Service,
  services,
} from '../../../kubernetes/index.ts';
import { type DnsRecord, readQuery, writeAnswer } from './message.ts';
import { lookUp } from './service-records.ts';

export interface ServiceDnsOptions {
  readonly api: ObjectApi;
  /** Where it listens: an address of the cluster's network, as 10.96.0.10. */
  readonly address: string;
  /** 53 when absent; 0 takes a free one. */
  readonly port?: number;
  /** `cluster.local` when absent. */
  readonly domain?: string;
  readonly onError: (error: unknown) => void;
}

export interface ServiceDns {
  /** Resolves with the port when it answers. Rejects when the port cannot be bound. */
  start(): Promise<number>;
  stop(): void;
}

const serviceNameLabel = 'kubernetes.io/service-name';

export function createServiceDns(options: ServiceDnsOptions): ServiceDns {
  return new NameServer(options);
}

class NameServer implements ServiceDns {
  private readonly options: ServiceDnsOptions;
  private readonly domain: string;
  private readonly socket: Socket = createSocket('udp4');
  private readonly services: Informer<Service>;
  private readonly slices: Informer<EndpointSlice>;
  private turn = 0;

  constructor(options: ServiceDnsOptions) {
    const { api, onError } = options;
    this.options = options;
    this.domain = options.domain ?? 'cluster.local';
    this.services = createInformer(api, services, { onError });
    this.slices = createInformer(api, endpointSlices, { onError });
  }

  async start(): Promise<number> {
    const { address, port = 53, onError } = this.options;
    this.services.start();
    this.slices.start();
    // First known, then asked: nobody is told that a name is not there because it is not known yet.
    await Promise.all([this.services.synced, this.slices.synced]);
    this.socket.bind(port, address);
    await once(this.socket, 'listening');
    this.socket.on('error', onError);
    this.socket.on('message', (message, client) => this.answer(message, client));
    return this.socket.address().port;
  }

  stop(): void {
    this.services.stop();
    this.slices.stop();
    this.socket.close();
  }

  private answer(message: Buffer, client: RemoteInfo): void {
    const query = readQuery(message);
    // What is no query is not answered: an answer to an answer would go on for ever.
    if (!query) return;
    const { outcome, records } = lookUp(query, this.domain, {
      service: (name) => this.services.get(name),
      slices: (name) => this.slicesOf(name),
    });
    const authority: DnsRecord[] =
      outcome === 'refused' || records.length > 0 ? [] : [{ type: 'SOA', zone: this.domain }];
    this.socket.send(
      writeAnswer(query, outcome, this.inTurn(records), authority),
      client.port,
      client.address,
    );
  }

  /** Clients take the first: each answer begins with another. */
  private inTurn(records: readonly DnsRecord[]): DnsRecord[] {
    const start = records.length === 0 ? 0 : this.turn++ % records.length;
    return [...records.slice(start), ...records.slice(0, start)];
  }

  private slicesOf(service: string): EndpointSlice[] {
    return this.slices
      .list()
      .filter(({ metadata }) => `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}` === service);
  }
}
