import type { Diagnostic } from './diagnostic.ts';

/** `file:line:column: severity SLxxxx: message (object)` and, indented below it, what to do. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { position, object, hint } = diagnostic;
  const place = position ? `${position.file}:${position.line}:${position.column}: ` : '';
  const subject = object ? ` (${object})` : '';
  const advice = hint ? `\n    ${hint}` : '';
  return `${place}${diagnostic.severity} ${diagnostic.code}: ${diagnostic.message}${subject}${advice}`;
}
