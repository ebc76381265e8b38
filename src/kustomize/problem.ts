import type { Diagnostic, DiagnosticCode, SourcePosition } from '../diagnostics/index.ts';
import type { Origin } from '../yaml/index.ts';

/** The kustomization cannot be rendered: carries the one diagnostic that says why. Thrown inside the renderer only. */
export class KustomizeProblem extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.name = 'KustomizeProblem';
    this.diagnostic = diagnostic;
  }
}

export interface Details {
  readonly object?: string | undefined;
  readonly hint?: string | undefined;
}

export const positionOf = (origin: Origin): SourcePosition => origin.source.positionAt(origin.offset);

/** Ends the render with an error. */
export function refuse(code: DiagnosticCode, message: string, at?: Origin, details: Details = {}): never {
  throw new KustomizeProblem(diagnosticAt('error', code, message, at, details));
}

export function diagnosticAt(
  severity: Diagnostic['severity'],
  code: DiagnosticCode,
  message: string,
  at?: Origin,
  { object, hint }: Details = {},
): Diagnostic {
  return {
    code,
    severity,
    message,
    ...(at && { position: positionOf(at) }),
    ...(object !== undefined && { object }),
    ...(hint !== undefined && { hint }),
  };
}
