/** The embedded cluster put together: store, API server, controllers, kubelet, service proxy, and their order. */

import type { Socket } from 'node:dgram';
import type { Server } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import {
  type ApiServer,
  apiVersion,
  clusterCidr,
  createApiServer,
  createEventRecorder,
  createKubelet,
  createPodNetwork,
  createServiceDns,
  createServiceProxy,
  createStore,
  forgetRunningPods,
  type Kubelet,
  kubeletStreams,
  type NodeDescription,
  openStateDirectory,
  type PodNetwork,
  registerNode,
  type ServiceDns,
  type ServiceProxy,
  type Store,
  startControllers,
  writeKubeconfig,
} from '../cluster/index.ts';
import { createTcpEngine, createUdpEngine, type TcpEngine, type UdpEngine } from '../dataplane/index.ts';
import { createIngressController, type IngressController } from '../ingress/index.ts';
import type { KubeObject } from '../kubernetes/index.ts';
import { openAppliedFile } from './applied-file.ts';
import { createApplier } from './applier.ts';
import { createIngressPods, type IngressPods, withIngressProgram } from './ingress-pods.ts';
import type { AppliedObject, ClusterNotices, ClusterSettings, ClusterStart, LogRecord } from './protocol.ts';
import { createStatusBoard } from './status-board.ts';
import type { UdpPathCounters } from './udp-counters.ts';

export interface ClusterHost {
  notify<Name extends keyof ClusterNotices>(name: Name, value: ClusterNotices[Name]): void;
  /** Sockets of the host, bound to the port on the host address. */
  readonly bindPort: {
    udp(port: number): Promise<Socket>;
    tcp(port: number): Promise<Server>;
  };
  /** A server of the host on a free port of its own loopback address. */
  bindApiPort(): Promise<Server>;
}

export interface Cluster {
  apply(settings: ClusterSettings, objects: readonly KubeObject[]): Promise<AppliedObject[]>;
  counters(): Promise<readonly UdpPathCounters[]>;
  /** Ends the pods as Kubernetes would, then the rest. May be called twice. */
  stop(): Promise<void>;
}

const nodeName = 'sluice';
/** Where kubeadm's clusters have their name server. */
const clusterDnsAddress = '10.96.0.10';
/** Ctrl-C should not take long: a pod that has not ended by then is killed. */
const stopGraceMs = 1000;
/** Every ingress pod must have turned away from a pod before it ends, also where the machine is busy: nobody waits for it. */
const drainMs = 500;

export async function startCluster(options: ClusterStart, host: ClusterHost): Promise<Cluster> {
  const log = createLog((record) => host.notify('log', record));
  const state = options.objectState === undefined ? undefined : await openStateDirectory(options.objectState);
  // Versions never run backwards, so that clients of an earlier run list again.
  const store = createStore({ firstVersion: Date.now(), ...(state ? { state } : {}) });
  if (state) await forgetRunningPods(store);
  const network = await createPodNetwork(options.network);
  await registerNode(store, nodeDescription(options));
  const controllers = startControllers(store, { onError: (error) => log.warn(String(error)) });
  const dns = network.mode === 'namespaces' ? await startDns(store, log) : undefined;
  const kubelet = createKubelet({
    api: store,
    network,
    nodeName,
    images: programsOf(options, options),
    logDirectory: options.logDirectory,
    settingsFile: options.settingsFile,
    recorder: createEventRecorder(store, 'kubelet'),
    log: log.child({ component: 'kubelet' }),
    limits: { stopGraceMs, drainMs },
    ...(dns ? { dns: { server: clusterDnsAddress } } : {}),
  });
  const apiServer = await startApi(options, host, { store, kubelet, log, network });
  await kubelet.start();
  const proxy = await startProxy(options, host, store, log);
  const parts = { store, network, controllers, kubelet, dns, apiServer, proxy, host, log };
  return new RunningCluster(options, parts);
}

/** The node as `kubectl get nodes -o wide` shows it: its address is the one that the node ports listen on. */
function nodeDescription({ hostAddress }: ClusterStart): NodeDescription {
  return {
    name: nodeName,
    internalIp: hostAddress,
    podCidr: clusterCidr,
    kubeletVersion: apiVersion.gitVersion,
    capacity: { cpu: String(availableParallelism()), memory: String(totalmem()), pods: '110' },
  };
}

const ingressKubeconfig = ({ stateDirectory }: ClusterStart) => join(stateDirectory, 'ingress-kubeconfig');

function programsOf(start: ClusterStart, { images }: ClusterSettings) {
  return withIngressProgram(images, start.ingressCommand, {
    KUBECONFIG: ingressKubeconfig(start),
    // Where pods share the host's network, each keeps to an address of its own.
    ...(start.network === 'loopback' ? { SLUICE_LISTEN_ON: 'POD_IP' } : {}),
  });
}

/** Pods find Services by name where they have a network of their own. */
async function startDns(store: Store, log: Logger): Promise<ServiceDns> {
  const logger = log.child({ component: 'dns' });
  const onError = (error: unknown) => logger.warn(String(error));
  const dns = createServiceDns({ api: store, address: clusterDnsAddress, onError });
  await dns.start();
  return dns;
}

/** Answers kubectl on the host, and the pods at an address of the cluster. */
async function startApi(
  start: ClusterStart,
  host: ClusterHost,
  { store, kubelet, log, network }: Pick<Parts, 'store' | 'kubelet' | 'log' | 'network'>,
): Promise<ApiServer> {
  const server = createApiServer({
    store,
    streams: kubeletStreams(kubelet),
    address: network.gatewayAddress,
    onError: (error) => log.error(`API server: ${String(error)}`),
  });
  const inside = await server.listen();
  writeKubeconfig(ingressKubeconfig(start), inside.kubeconfig);
  const outside = server.serve(await host.bindApiPort());
  writeKubeconfig(join(start.stateDirectory, 'kubeconfig'), outside.kubeconfig);
  return server;
}

interface Proxy {
  readonly services: ServiceProxy;
  readonly udpEngine: UdpEngine;
  readonly tcpEngine: TcpEngine;
}

async function startProxy(start: ClusterStart, host: ClusterHost, store: Store, log: Logger): Promise<Proxy> {
  const logger = log.child({ component: 'service proxy' });
  // Every Service has a listener of its own: threads for each would take longer to start than the pods.
  const udpEngine = await createUdpEngine({
    engine: 'dgram',
    log: (level, message) => logger[level](message),
  });
  const tcpEngine = createTcpEngine();
  const services = createServiceProxy({
    api: store,
    udpEngine,
    tcpEngine,
    bindNodePort: host.bindPort,
    hasClusterAddresses: start.network === 'namespaces',
    log: logger,
  });
  await services.start();
  return { services, udpEngine, tcpEngine };
}

interface Parts {
  readonly store: Store;
  readonly network: PodNetwork;
  readonly controllers: { stop(): Promise<void> };
  readonly kubelet: Kubelet;
  readonly dns: ServiceDns | undefined;
  readonly apiServer: ApiServer;
  readonly proxy: Proxy;
  readonly host: ClusterHost;
  readonly log: Logger;
}

class RunningCluster implements Cluster {
  private readonly start: ClusterStart;
  private readonly parts: Parts;
  private readonly applier;
  private readonly tracer: IngressController;
  private readonly ingressPods: IngressPods;
  private readonly board;
  private settings: ClusterSettings;
  private starting: Promise<void>;
  private stopping: Promise<void> | undefined;

  constructor(start: ClusterStart, parts: Parts) {
    const { store, kubelet, host, log } = parts;
    const onError = (error: unknown) => log.warn(String(error));
    this.start = start;
    this.parts = parts;
    this.settings = start;
    this.applier = createApplier(
      store,
      start.objectState === undefined
        ? undefined
        : openAppliedFile(join(start.objectState, 'applied.json'), onError),
    );
    this.tracer = createTracer(store, start);
    const ingressLog = log.child({ component: 'ingress' });
    this.ingressPods = createIngressPods({
      api: store,
      kubelet,
      onLine: ({ level, message }) => {
        if (level >= 50) ingressLog.error(message);
        else if (level >= 40) ingressLog.warn(message);
        else ingressLog.info(message);
      },
      onError,
    });
    this.board = createStatusBoard({
      api: store,
      controller: this.tracer,
      entryPoints: () => this.settings.entryPoints,
      ingressService: () => this.settings.ingressService,
      onStatus: (status) => host.notify('status', status),
      onError,
    });
    this.starting = this.startWatching();
  }

  async apply(settings: ClusterSettings, objects: readonly KubeObject[]): Promise<AppliedObject[]> {
    await this.starting;
    this.settings = settings;
    this.parts.kubelet.setImages(programsOf(this.start, settings));
    this.tracer.setEntryPoints(settings.entryPoints);
    const outcomes = await this.applier.apply(objects);
    await this.parts.proxy.services.settled();
    await this.board.refresh();
    return outcomes;
  }

  counters(): Promise<readonly UdpPathCounters[]> {
    return this.ingressPods.counters();
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async startWatching(): Promise<void> {
    await this.tracer.start();
    await Promise.all([this.ingressPods.start(), this.board.start()]);
  }

  private async end(): Promise<void> {
    const { store, network, controllers, kubelet, dns, apiServer, proxy } = this.parts;
    this.board.stop();
    this.ingressPods.stop();
    await this.tracer.stop();
    await proxy.services.stop();
    await Promise.all([proxy.udpEngine.close(), proxy.tcpEngine.close()]);
    await controllers.stop();
    await kubelet.stop();
    await apiServer.close();
    dns?.stop();
    await network.close();
    await store.close();
  }
}

/**
 * Compiles the same route table as the ingress pods do, from the same objects, to say where a path is broken. It moves
 * no datagram.
 */
function createTracer(store: Store, { entryPoints }: ClusterSettings): IngressController {
  const silent = { info() {}, warn() {}, error() {} };
  const engine = { apply: () => Promise.resolve() };
  return createIngressController({ api: store, engine, tcpEngine: engine, log: silent, entryPoints });
}

function createLog(write: (record: LogRecord) => void): Logger {
  return pino({ base: null }, { write: (line: string) => write(JSON.parse(line) as LogRecord) });
}
