/**
 * The one registry of diagnostic codes. A code never changes its meaning and is never used again once retired.
 * Each code has a page in docs/diagnostics/ and a test that raises it (test/diagnostics/registry.test.ts checks both).
 */

import { clusterCodes } from './codes/cluster.ts';
import { gitopsCodes } from './codes/gitops.ts';
import { ingressCodes } from './codes/ingress.ts';
import { kustomizeCodes } from './codes/kustomize.ts';

export const diagnosticCodes = {
  ...kustomizeCodes,
  ...gitopsCodes,
  ...ingressCodes,
  ...clusterCodes,
} as const;

export type DiagnosticCode = keyof typeof diagnosticCodes;
