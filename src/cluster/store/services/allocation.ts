/** Which addresses and node ports the Services have: what a new one gets, and what is refused. */

import { ApiError, type Service, services } from '../../../kubernetes/index.ts';
import { FieldErrors } from '../admission/field-errors.ts';
import { mayHaveNodePorts, needsNodePorts, wantsClusterIp } from '../admission/service.ts';
import { ClusterIps } from './cluster-ips.ts';
import { NodePorts } from './node-ports.ts';

export class ServiceAllocations {
  readonly #clusterIps = new ClusterIps();
  readonly #nodePorts = new NodePorts();

  /** Fills in what the draft leaves open. Throws Invalid for what it asks for and cannot have. Takes nothing yet. */
  assign(draft: Service, current: Service | undefined): void {
    this.#assignAddress(draft, current);
    this.#assignNodePorts(draft, current);
  }

  /** After the commit: what the old state held and the new does not is free, and the other way round. */
  record(before: Service | undefined, after: Service | undefined): void {
    for (const address of addressesOf(before)) this.#clusterIps.free(address);
    for (const port of nodePortsOf(before)) this.#nodePorts.free(port);
    for (const address of addressesOf(after)) this.#clusterIps.take(address);
    for (const port of nodePortsOf(after)) this.#nodePorts.take(port);
  }

  #assignAddress(draft: Service, current: Service | undefined): void {
    const { spec, metadata } = draft;
    if (spec.type === 'ExternalName') return;
    if (!wantsClusterIp(draft)) {
      spec.clusterIPs = ['None'];
      return;
    }
    const held = new Set(addressesOf(current));
    if (!spec.clusterIP && spec.clusterIPs?.[0]) spec.clusterIP = spec.clusterIPs[0];
    if (!spec.clusterIP) {
      const address = this.#clusterIps.suggest();
      if (!address) throw new ApiError('InternalError', 'failed to allocate a serviceIP: range is full');
      spec.clusterIP = address;
    } else if (!held.has(spec.clusterIP)) {
      const complaint = this.#clusterIps.checkFree(spec.clusterIP);
      if (complaint) refuse(metadata.name, 'spec.clusterIPs', [spec.clusterIP], complaint);
    }
    spec.clusterIPs = [spec.clusterIP];
  }

  #assignNodePorts(draft: Service, current: Service | undefined): void {
    if (!mayHaveNodePorts(draft)) return;
    const ports = draft.spec.ports ?? [];
    const held = new Set(nodePortsOf(current));
    const asked = new Set(nodePortsOf(draft));
    for (const [index, port] of ports.entries()) {
      if (!port.nodePort || held.has(port.nodePort)) continue;
      const complaint = this.#nodePorts.checkFree(port.nodePort);
      if (complaint) refuse(draft.metadata.name, `spec.ports[${index}].nodePort`, port.nodePort, complaint);
    }
    if (!needsNodePorts(draft)) return;
    for (const port of ports) {
      if (port.nodePort) continue;
      // 53/UDP beside 53/TCP gets the same node port, as the API server does it.
      const sibling = ports.find((other) => other.port === port.port && other.nodePort);
      const nodePort = sibling?.nodePort ?? this.#nodePorts.suggest(asked);
      if (!nodePort) throw new ApiError('InternalError', 'failed to allocate a nodePort: range is full');
      port.nodePort = nodePort;
      asked.add(nodePort);
    }
  }
}

function addressesOf(service: Service | undefined): string[] {
  const { clusterIP, type } = service?.spec ?? {};
  return clusterIP && clusterIP !== 'None' && type !== 'ExternalName' ? [clusterIP] : [];
}

function nodePortsOf(service: Service | undefined): number[] {
  return (service?.spec.ports ?? []).flatMap(({ nodePort }) => nodePort || []);
}

function refuse(name: string, field: string, value: unknown, complaint: string): never {
  const errors = new FieldErrors();
  errors.invalid(field, value, complaint);
  errors.throwIfAny(services, name);
  throw new Error('unreachable');
}
