/** What is wrong with something the user wrote, and what to do about it. */

import type { DiagnosticCode } from './codes.ts';

export type Severity = 'error' | 'warning' | 'info';

/** A place in a file the user wrote. `line` and `column` count from 1; `file` is as the user would type it. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** One sentence: what was found, with the user's own words quoted. */
  readonly message: string;
  readonly position?: SourcePosition;
  /** The object concerned, as `Kind namespace/name`. */
  readonly object?: string;
  /** What to do, as an instruction. */
  readonly hint?: string;
}

/** The input could not be used. Carries everything found, so that one run reports every mistake. */
export class DiagnosticError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((diagnostic) => diagnostic.message).join('; '));
    this.name = 'DiagnosticError';
    this.diagnostics = diagnostics;
  }
}

/** Whether any of them makes the input unusable. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}
