/**
 * What kube-proxy is to a real node: every Service answers at its cluster IP and at its node port, with the engines that
 * the ingress uses too. Level-triggered: whatever changed, the listeners and the table are computed from the newest
 * objects.
 */

import type { Socket } from 'node:dgram';
import type { Server } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { TcpEngine, TcpListener, UdpEngine, UdpListener } from '../../dataplane/index.ts';
import {
  createInformer,
  endpointSlices,
  type KubeObject,
  type ObjectApi,
  type ResourceType,
  services,
} from '../../kubernetes/index.ts';
import { type ProxiedPort, proxiedPorts, proxyTable } from './service-ports.ts';

export interface ServiceProxyOptions {
  readonly api: ObjectApi;
  readonly udpEngine: UdpEngine;
  readonly tcpEngine: TcpEngine;
  /** Sockets of the host, bound to a node port. */
  readonly bindNodePort: {
    udp(port: number): Promise<Socket>;
    tcp(port: number): Promise<Server>;
  };
  /** Whether cluster IPs are addresses of this network namespace, so that they can be listened on. */
  readonly hasClusterAddresses: boolean;
  readonly log: { error(fields: object, message: string): void };
}

export interface ServiceProxy {
  /** Resolves when every Service that is there is answered for. */
  start(): Promise<void>;
  /** Resolves when what the API says now is in force. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** A UDP flow is forgotten after this long without a datagram; the kernel's connection tracking takes 30 s too. */
const udpIdleTimeoutMs = 30_000;

export function createServiceProxy(options: ServiceProxyOptions): ServiceProxy {
  return new NodeServiceProxy(options);
}

class NodeServiceProxy implements ServiceProxy {
  private readonly options: ServiceProxyOptions;
  private readonly services;
  private readonly slices;
  private readonly listening = new Map<string, ProxiedPort>();
  private generation = 0;
  private inForce: readonly ProxiedPort[] = [];
  private isScheduled = false;
  private isStopped = false;
  private working: Promise<void> = Promise.resolve();

  constructor(options: ServiceProxyOptions) {
    this.options = options;
    this.services = this.inform(services);
    this.slices = this.inform(endpointSlices);
  }

  async start(): Promise<void> {
    this.services.start();
    this.slices.start();
    await Promise.all([this.services.synced, this.slices.synced]);
    this.services.onChange(() => this.schedule());
    this.slices.onChange(() => this.schedule());
    await this.reconcileNext();
  }

  async settled(): Promise<void> {
    // The informers hear of a write in the turn after it.
    await new Promise((resolve) => setImmediate(resolve));
    await this.reconcileNext();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.services.stop();
    this.slices.stop();
    await this.working;
  }

  private inform<Kind extends KubeObject>(type: ResourceType<Kind>) {
    const { api, log } = this.options;
    return createInformer(api, type, {
      onError: (error) => log.error({}, `service proxy: ${String(error)}`),
    });
  }

  /** Changes that come in one turn of the event loop are worked on once. */
  private schedule(): void {
    if (this.isScheduled || this.isStopped) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      void this.reconcileNext();
    });
  }

  private reconcileNext(): Promise<void> {
    this.working = this.working
      .then(() => (this.isStopped ? undefined : this.reconcile()))
      .catch((error: unknown) => this.options.log.error({}, `service proxy: ${String(error)}`));
    return this.working;
  }

  private async reconcile(): Promise<void> {
    const wanted = proxiedPorts(this.services.list(), this.slices.list(), this.options.hasClusterAddresses);
    // The table first: what a new listener receives finds its endpoints.
    if (!isDeepStrictEqual(wanted, this.inForce)) {
      const table = proxyTable(wanted, ++this.generation);
      await Promise.all([this.options.udpEngine.apply(table), this.options.tcpEngine.apply(table)]);
      this.inForce = wanted;
    }
    const names = new Set(wanted.map(({ name }) => name));
    for (const present of [...this.listening.values()].filter(({ name }) => !names.has(name))) {
      await this.shut(present);
    }
    for (const port of wanted) await this.listen(port);
  }

  private async listen(port: ProxiedPort): Promise<void> {
    const present = this.listening.get(port.name);
    if (present && isSamePlace(present, port)) return;
    try {
      if (present) await this.shut(present);
      await this.open(port);
      this.listening.set(port.name, port);
    } catch (error) {
      const place = port.nodePort === undefined ? '' : ` at node port ${port.nodePort}`;
      const fields = { service: port.service, nodePort: port.nodePort };
      this.options.log.error(fields, `Service ${port.name} is not answered${place}: ${String(error)}`);
    }
  }

  private async shut({ name, protocol }: ProxiedPort): Promise<void> {
    this.listening.delete(name);
    await (protocol === 'UDP' ? this.options.udpEngine : this.options.tcpEngine).shut(name);
  }

  private async open(port: ProxiedPort): Promise<void> {
    const { bindNodePort, udpEngine, tcpEngine } = this.options;
    const { name, clusterIp, nodePort } = port;
    const atClusterIp = clusterIp ? [{ kind: 'address', address: clusterIp, port: port.port } as const] : [];
    if (port.protocol === 'UDP') {
      const atNodePort: UdpListener[] =
        nodePort === undefined ? [] : [{ kind: 'socket', socket: await bindNodePort.udp(nodePort) }];
      await udpEngine.open({ name, idleTimeoutMs: udpIdleTimeoutMs }, [...atClusterIp, ...atNodePort]);
    } else {
      const atNodePort: TcpListener[] =
        nodePort === undefined ? [] : [{ kind: 'socket', server: await bindNodePort.tcp(nodePort) }];
      await tcpEngine.open({ name }, [...atClusterIp, ...atNodePort]);
    }
  }
}

function isSamePlace(left: ProxiedPort, right: ProxiedPort): boolean {
  return left.clusterIp === right.clusterIp && left.nodePort === right.nodePort;
}
