import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtInSchema, type Schema } from '../../../src/kubernetes/index.ts';
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicPatch,
  type JsonObject,
  PatchError,
} from '../../../src/kubernetes/patch/index.ts';
import { anyObject, deployment, jsonPatch, mergePatch, strategicPatch } from './arbitraries.ts';
import { hasKubectl, kubectlPatch, type Outcome, type PatchType, patchCases } from './kubectl-patch.ts';

const objectsPerCall = 12;

function ours(type: PatchType, object: JsonObject, patch: unknown): Outcome {
  try {
    if (type === 'json') return { result: applyJsonPatch(object, patch) };
    if (type === 'merge') return { result: applyMergePatch(object, patch) };
    return { result: applyStrategicPatch(object, patch, builtInSchema('apps/v1', 'Deployment') as Schema) };
  } catch (error) {
    if (error instanceof PatchError) return { error: error.message };
    throw error;
  }
}

/** kubectl prints no object without a kind, rewords one message, and reports whichever of several faults it meets first. */
function comparable(type: PatchType, outcome: Outcome): Outcome {
  const leftNothing = 'result' in outcome && !(outcome.result as JsonObject).kind;
  if (leftNothing) return { error: 'refused' };
  if (!('error' in outcome)) return outcome;
  const text = outcome.error.replace(
    /^replace operation does not apply: doc is missing key: (.*)$/,
    'Object to be patched is missing field ($1)',
  );
  return { error: type === 'strategic' ? 'refused' : text };
}

async function agree(type: PatchType, objects: JsonObject[], patch: unknown): Promise<void> {
  const named = objects.map((object, index) => ({
    ...object,
    metadata: { ...(object.metadata as JsonObject), name: `demo-${index}` },
  }));
  const theirs = await kubectlPatch(type, named, patch);
  const mine = named.map((object) => ours(type, object, patch));
  expect(mine.map((outcome) => comparable(type, outcome))).toEqual(
    theirs.map((outcome) => comparable(type, outcome)),
  );
}

describe.skipIf(!hasKubectl)('patches give what kubectl patch --local gives (needs kubectl)', () => {
  const check = (type: PatchType, object: fc.Arbitrary<JsonObject>, patch: fc.Arbitrary<unknown>) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(object, { minLength: objectsPerCall, maxLength: objectsPerCall }),
        patch,
        (objects, change) => agree(type, objects, change),
      ),
      { numRuns: patchCases, endOnFailure: true, interruptAfterTimeLimit: 1_200_000 },
    );

  it('for strategic merge patches', { timeout: 1_300_000 }, () =>
    check('strategic', deployment, strategicPatch),
  );
  it('for JSON merge patches', { timeout: 1_300_000 }, () => check('merge', anyObject, mergePatch));
  it('for JSON patches', { timeout: 1_300_000 }, () => check('json', anyObject, jsonPatch));
});
