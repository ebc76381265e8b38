import type { Diagnostic } from '../diagnostics/index.ts';
import { describeObject, type Service } from '../kubernetes/index.ts';
import type { PlannedObject } from './plan.ts';

/** Node ports are one space per protocol for the whole cluster: 30053/TCP and 30053/UDP may stand side by side. */
export function duplicateNodePorts(objects: readonly PlannedObject[]): Diagnostic[] {
  const holders = new Map<string, { planned: PlannedObject; path: (string | number)[] }>();
  const diagnostics: Diagnostic[] = [];
  for (const planned of objects.filter(({ object }) => object.kind === 'Service')) {
    const service = planned.object as Service;
    for (const [index, port] of (service.spec.ports ?? []).entries()) {
      if (port.nodePort === undefined) continue;
      const path = ['spec', 'ports', index, 'nodePort'];
      const key = `${port.nodePort}/${port.protocol ?? 'TCP'}`;
      const first = holders.get(key);
      if (!first) holders.set(key, { planned, path });
      else diagnostics.push(conflict(key, planned, path, first.planned, first.path));
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
