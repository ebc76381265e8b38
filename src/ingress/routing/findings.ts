import type { DiagnosticCode } from '../../diagnostics/index.ts';

/** Something about a route that its owner should know. */
export interface RouteFinding {
  readonly code: DiagnosticCode;
  /** `error`: traffic is dropped or refused for it. `warning`: it is not, yet it is hardly what was meant. */
  readonly severity: 'error' | 'warning';
  /** `IngressRouteUDP` when absent. */
  readonly kind?: string;
  /** The object it is about, as `namespace/name`. */
  readonly route: string;
  readonly message: string;
  /** The part of the object that it is about. */
  readonly path: readonly (string | number)[];
  /** Where in the text at `path`, in characters from 0. */
  readonly textOffset?: number;
}
