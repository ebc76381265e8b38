import { featureCases } from './features.ts';
import { patchCases } from './patches.ts';
import type { CaseTable } from './shared.ts';
import { yamlCases } from './yaml.ts';

/** By topic; the recorded answers of the oracle are in ../fixtures under the same name. */
export const topics: Readonly<Record<string, CaseTable>> = {
  yaml: yamlCases,
  patches: patchCases,
  features: featureCases,
};
