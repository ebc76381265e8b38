import type { Diagnostic } from '../diagnostics/index.ts';
import { describeObject, type Service } from '../kubernetes/index.ts';
import type { PlannedObject } from './plan.ts';

/**
 * A number may be given out once per protocol within one Service, and to no other Service whatever its protocol: the API
 * server keeps one space for the whole cluster.
 */
export function duplicateNodePorts(objects: readonly PlannedObject[]): Diagnostic[] {
  const holders = new Map<
    number,
    { planned: PlannedObject; path: (string | number)[]; protocols: Set<string> }
  >();
  const diagnostics: Diagnostic[] = [];
  for (const planned of objects.filter(({ object }) => object.kind === 'Service')) {
    const service = planned.object as Service;
    for (const [index, port] of (service.spec.ports ?? []).entries()) {
      if (port.nodePort === undefined) continue;
      const path = ['spec', 'ports', index, 'nodePort'];
      const protocol = port.protocol ?? 'TCP';
      const first = holders.get(port.nodePort);
      if (!first) holders.set(port.nodePort, { planned, path, protocols: new Set([protocol]) });
      else if (first.planned === planned && !first.protocols.has(protocol)) first.protocols.add(protocol);
      else
        diagnostics.push(conflict(`${port.nodePort}/${protocol}`, planned, path, first.planned, first.path));
    }
  }
  return diagnostics;
}

function conflict(
  port: string,
  planned: PlannedObject,
  path: readonly (string | number)[],
  first: PlannedObject,
  firstPath: readonly (string | number)[],
): Diagnostic {
  const other = first.locate(firstPath);
  return {
    code: 'SL4002',
    severity: 'error',
    message: `node port ${port} is already given to ${describeObject(first.object)} at ${other.file}:${other.line}`,
    position: planned.locate(path),
    object: describeObject(planned.object),
    hint: 'Choose another node port from 30000 to 32767.',
  };
}
