import type { DiagnosticCode } from '../../diagnostics/index.ts';

/** What conditions and Events call a finding, in the one word that Kubernetes asks for. */
const reasons: Partial<Record<DiagnosticCode, string>> = {
  SL3101: 'EntryPointNotFound',
  SL3102: 'ServiceNotFound',
  SL3103: 'PortNotFound',
  SL3104: 'NoEndpoints',
  SL3105: 'Shadowed',
  SL3106: 'RefNotPermitted',
  SL3107: 'ProtocolMismatch',
  SL3108: 'Unsupported',
  SL3109: 'InvalidAnnotation',
  SL3110: 'InvalidAnnotation',
  SL3111: 'UnknownAnnotation',
  SL3201: 'InvalidRule',
  SL3202: 'InvalidRule',
  SL3203: 'MiddlewareNotFound',
  SL3204: 'InvalidTLS',
  SL3205: 'TransportNotFound',
  SL3206: 'Shadowed',
  SL3207: 'InvalidPriority',
  SL3208: 'ProtocolMismatch',
};

export function eventReason(code: DiagnosticCode): string {
  return reasons[code] ?? 'Invalid';
}
