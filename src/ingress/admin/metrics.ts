/** The ingress in numbers, for Prometheus. */

import type { TcpEntryPointCounters, UdpEntryPointCounters } from '../../dataplane/index.ts';
import type { RemoteApiCounters, StaleResource } from '../../kubernetes/index.ts';
import type { Routing } from '../routing/incremental/routing-state.ts';
import { MetricsText } from './prometheus.ts';
import { addressOf } from './traefik-shapes.ts';

export interface MetricsSource {
  readonly udp: readonly UdpEntryPointCounters[];
  readonly tcp: readonly TcpEntryPointCounters[];
  readonly routing: Routing;
  readonly isReady: boolean;
  /** Whether this replica writes statuses and Events. */
  readonly isLeader: boolean;
  /** Tables that came into force, and when the last one did. */
  readonly tables: number;
  readonly lastTableAtMs: number;
  readonly stale: readonly StaleResource[];
  readonly apiCounters?: RemoteApiCounters;
  readonly nowMs: number;
}

/** Endpoints of one scrape beyond this many are left out, and counted. */
const maxEndpoints = 5000;

export function metricsText(source: MetricsSource): string {
  const text = new MetricsText();
  addUdp(text, source.udp);
  addTcp(text, source.tcp);
  addRouting(text, source);
  addApi(text, source);
  addProcess(text);
  return text.toString();
}

function addUdp(text: MetricsText, entryPoints: readonly UdpEntryPointCounters[]): void {
  const counters: [string, string, (one: UdpEntryPointCounters) => number][] = [
    ['datagrams_in_total', 'Datagrams from clients.', (one) => one.datagramsIn],
    ['bytes_in_total', 'Bytes from clients.', (one) => one.bytesIn],
    ['datagrams_forwarded_total', 'Datagrams handed to an endpoint.', (one) => one.datagramsForwarded],
    ['bytes_forwarded_total', 'Bytes handed to an endpoint.', (one) => one.bytesForwarded],
    ['replies_in_total', 'Datagrams from endpoints.', (one) => one.repliesIn],
    ['datagrams_out_total', 'Answers delivered to clients.', (one) => one.datagramsOut],
    ['bytes_out_total', 'Bytes delivered to clients.', (one) => one.bytesOut],
    ['sessions_opened_total', 'Sessions begun.', (one) => one.sessionsOpened],
    ['sessions_expired_total', 'Sessions ended by the idle timeout.', (one) => one.sessionsExpired],
    ['sessions_evicted_total', 'Sessions ended to make room.', (one) => one.sessionsEvicted],
    ['sessions_moved_total', 'Sessions that went on at another endpoint.', (one) => one.sessionsMoved],
    [
      'datagrams_bounced_total',
      'Forwarded datagrams that came back as unreachable.',
      (one) => one.datagramsBounced,
    ],
    [
      'session_records_missed_total',
      'Sessions that ended without a line in the access log.',
      (one) => one.sessionRecordsMissed,
    ],
    ['kernel_drops_total', 'Datagrams lost in a full receive buffer.', (one) => one.kernelDrops],
    [
      'reply_kernel_drops_total',
      "Answers lost in the full receive buffer of their session's socket.",
      (one) => one.replyKernelDrops,
    ],
    [
      'clients_forgotten_total',
      'Client addresses that limits per client had to forget.',
      (one) => one.clientsForgotten,
    ],
    [
      'sockets_given_up_total',
      'Sockets closed for newer ones of their session.',
      (one) => one.socketsGivenUp,
    ],
  ];
  for (const [name, help, value] of counters) {
    for (const one of entryPoints) {
      text.add(`sluice_udp_${name}`, 'counter', help, value(one), { entrypoint: one.entryPoint });
    }
  }
  for (const { entryPoint, sessions } of entryPoints) {
    text.add('sluice_udp_sessions', 'gauge', 'Sessions at present.', sessions, { entrypoint: entryPoint });
  }
  for (const { entryPoint, endpointsLeftOut } of entryPoints) {
    const help = 'Endpoints that get nothing, as they are too many.';
    text.add('sluice_udp_endpoints_left_out', 'gauge', help, endpointsLeftOut, { entrypoint: entryPoint });
  }
  for (const { entryPoint, drops } of entryPoints) {
    for (const [reason, count] of Object.entries(drops)) {
      const labels = { entrypoint: entryPoint, reason };
      text.add('sluice_udp_drops_total', 'counter', 'Datagrams dropped, each for one reason.', count, labels);
    }
  }
  addEndpoints(text, entryPoints);
}

function addEndpoints(text: MetricsText, entryPoints: readonly UdpEntryPointCounters[]): void {
  let left = maxEndpoints;
  let omitted = 0;
  for (const { entryPoint, endpoints } of entryPoints) {
    for (const endpoint of endpoints) {
      if (left-- <= 0) {
        omitted++;
        continue;
      }
      const labels = { entrypoint: entryPoint, service: endpoint.service, endpoint: addressOf(endpoint) };
      text.add(
        'sluice_udp_endpoint_datagrams_total',
        'counter',
        'Datagrams handed to the endpoint.',
        endpoint.datagrams,
        labels,
      );
      text.add(
        'sluice_udp_endpoint_replies_total',
        'counter',
        'Datagrams from the endpoint.',
        endpoint.replies,
        labels,
      );
    }
  }
  text.add('sluice_udp_endpoints_omitted', 'gauge', 'Endpoints left out of this scrape.', omitted);
}

function addTcp(text: MetricsText, entryPoints: readonly TcpEntryPointCounters[]): void {
  const counters: [string, string, (one: TcpEntryPointCounters) => number][] = [
    ['connections_accepted_total', 'Connections accepted.', (one) => one.accepted],
    ['connections_forwarded_total', 'Connections that reached an endpoint.', (one) => one.forwarded],
    ['bytes_in_total', 'Bytes from clients.', (one) => one.bytesIn],
    ['bytes_out_total', 'Bytes to clients.', (one) => one.bytesOut],
    [
      'connect_retries_total',
      'Endpoints that could not be reached, and another was tried.',
      (one) => one.connectRetries,
    ],
  ];
  for (const [name, help, value] of counters) {
    for (const one of entryPoints) {
      text.add(`sluice_tcp_${name}`, 'counter', help, value(one), { entrypoint: one.entryPoint });
    }
  }
  for (const { entryPoint, open } of entryPoints) {
    // Traefik's only metric of layer 4, under its own name, so that its dashboards go on.
    const labels = { entrypoint: entryPoint, protocol: 'TCP' };
    text.add('traefik_open_connections', 'gauge', 'Connections at present.', open, labels);
  }
  for (const { entryPoint, refused, ended } of entryPoints) {
    for (const [reason, count] of Object.entries(refused)) {
      const labels = { entrypoint: entryPoint, reason };
      text.add(
        'sluice_tcp_connections_refused_total',
        'counter',
        'Connections that reached no endpoint.',
        count,
        labels,
      );
    }
    for (const [reason, count] of Object.entries(ended)) {
      const labels = { entrypoint: entryPoint, reason };
      text.add('sluice_tcp_connections_ended_total', 'counter', 'Connections that ended.', count, labels);
    }
  }
}

function addRouting(text: MetricsText, source: MetricsSource): void {
  const { routing, isReady, isLeader, tables, lastTableAtMs } = source;
  text.add('sluice_leader', 'gauge', 'Whether this replica writes statuses and Events.', Number(isLeader));
  text.add('sluice_ready', 'gauge', 'Whether a table of all objects is in force.', Number(isReady));
  text.add('sluice_route_table_generation', 'gauge', 'Number of the route table.', routing.table.generation);
  const routes = { IngressRouteUDP: routing.udpRoutes.length, IngressRouteTCP: routing.tcpRoutes.length };
  for (const [kind, count] of Object.entries(routes)) {
    text.add('sluice_routes', 'gauge', 'Routes that are served or would be.', count, { kind });
  }
  const findings = new Map<string, number>();
  for (const { code, severity } of routing.findings) {
    const key = `${code} ${severity}`;
    findings.set(key, (findings.get(key) ?? 0) + 1);
  }
  for (const [key, count] of findings) {
    const [code = '', severity = ''] = key.split(' ');
    text.add('sluice_route_findings', 'gauge', 'What is wrong with routes.', count, { code, severity });
  }
  text.add('traefik_config_reloads_total', 'counter', 'Route tables that came into force.', tables);
  text.add(
    'traefik_config_last_reload_success',
    'gauge',
    'When the last table came into force, in seconds since 1970.',
    lastTableAtMs / 1000,
  );
}

function addApi(text: MetricsText, { stale, apiCounters, nowMs }: MetricsSource): void {
  text.add('sluice_api_stale_resources', 'gauge', 'Watches that the API does not answer.', stale.length);
  for (const { resource, sinceMs } of stale) {
    const seconds = (nowMs - sinceMs) / 1000;
    text.add('sluice_api_stale_seconds', 'gauge', 'Since when the API does not answer.', seconds, {
      resource,
    });
  }
  for (const [name, value] of Object.entries(apiCounters ?? {})) {
    const metric = `sluice_api_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`;
    text.add(metric, 'counter', `Kubernetes API: ${name}.`, Number(value));
  }
}

function addProcess(text: MetricsText): void {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  text.add('process_cpu_seconds_total', 'counter', 'CPU time of the process.', (user + system) / 1e6);
  text.add('process_resident_memory_bytes', 'gauge', 'Memory of the process.', rss);
  text.add('nodejs_heap_size_used_bytes', 'gauge', 'Heap of the main thread.', heapUsed);
}
