import type { Diagnostic } from '../../diagnostics/index.ts';
import type { AppliedObject, Plan } from '../../laptop/index.ts';

/** What the API refused, as diagnostics at the line of the object. */
export function refusals(applied: readonly AppliedObject[], plan: Plan): Diagnostic[] {
  return applied.flatMap(({ index, object, outcome, message }): Diagnostic[] => {
    if (outcome !== 'failed') return [];
    const planned = index === undefined ? undefined : plan.objects[index];
    const path = fieldPath(message ?? '');
    return [
      {
        code: 'SL4003',
        severity: 'error',
        message: message ?? 'refused',
        object,
        ...(planned ? { position: planned.locate(path) } : {}),
      },
    ];
  });
}

/** The API names the field in its message: `Service "x" is invalid: spec.ports[0].nodePort: Invalid value: …`. */
function fieldPath(message: string): (string | number)[] {
  const field = /is invalid: ([\w.[\]]+):/.exec(message)?.[1] ?? '';
  return [...field.matchAll(/\w+/g)].map(([step]) => (/^\d+$/.test(step) ? Number(step) : step));
}
