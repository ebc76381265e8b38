export { type DiagnosticCode, diagnosticCodes } from './codes.ts';
export {
  type Diagnostic,
  DiagnosticError,
  hasErrors,
  type Severity,
  type SourcePosition,
} from './diagnostic.ts';
export { formatDiagnostic } from './format.ts';
export { nearestName } from './nearest-name.ts';
