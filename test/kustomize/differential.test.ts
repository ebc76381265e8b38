import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { topics } from './cases/index.ts';
import type { CaseFiles, CaseTable } from './cases/shared.ts';
import { type Answer, askOracle, hasKubectl, inPairs, oracleAnswer, ourAnswer } from './oracle.ts';

const fixturePath = (topic: string): string => join(import.meta.dirname, 'fixtures', `${topic}.json`);

/** Set by `npm run record:kustomize`: ask the oracle about cases it has not answered yet (`all`: about every case). */
const recording = process.env.SLUICE_RECORD_KUSTOMIZE;

/** An answer with the digest of the files it was given for, and what the oracle said where it failed. */
type Recorded = Answer & { readonly files: string; readonly error?: string };

const digestOf = (files: CaseFiles): string =>
  createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 12);

function recorded(topic: string): Record<string, Recorded> {
  const path = fixturePath(topic);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, Recorded>) : {};
}

function withoutError(answer: Recorded): Recorded {
  const { error: _, ...rest } = answer;
  return rest;
}

async function record(topic: string, cases: CaseTable): Promise<void> {
  const known = recording === 'all' ? {} : recorded(topic);
  const answers: Record<string, Recorded | undefined> = {};
  for (const [name, files] of Object.entries(cases)) {
    const answer = known[name];
    answers[name] = answer?.files === digestOf(files) ? answer : undefined;
  }
  const unknown = Object.entries(cases).filter(([name]) => !answers[name]);
  await inPairs(unknown, async ([name, files]) => {
    const { answer, error } = await askOracle(files);
    answers[name] = { files: digestOf(files), ...answer, ...(error !== undefined && { error }) };
  });
  writeFileSync(fixturePath(topic), `${JSON.stringify(answers, undefined, 1)}\n`);
}

/** Cases with a number or a boolean where a text belongs. */
const aboutTypes: ReadonlySet<string> = new Set([
  'images: unquoted tag',
  'namespace: a number',
  'namespace: a word of old YAML',
  'names: a number',
  'generators: annotations and labels are strings',
  'kustomization: a number in the list',
  'kustomization: label value is a number',
  'kustomization: label value is a word',
]);

for (const [topic, cases] of Object.entries(topics)) {
  if (recording) await record(topic, cases);
  const recordedAnswers = recorded(topic);
  const answers = Object.fromEntries(
    Object.entries(recordedAnswers).map(([name, answer]) => [name, withoutError(answer)]),
  );

  describe(`${topic}, as kubectl kustomize answered`, () => {
    it.each(Object.entries(cases))('%s', (name, files) => {
      const digest = digestOf(files);
      expect(answers[name]?.files, 'run npm run record:kustomize').toBe(digest);
      expect({ files: digest, ...ourAnswer(files) }).toEqual(answers[name]);
    });

    // `{x: y}` is a map with a boolean for kustomize: a case that fails for that shows nothing of what it is about.
    it('fails over a value of another type only where the case is about that', () => {
      const mistyped = Object.entries(recordedAnswers).filter(([, { error = '' }]) =>
        /cannot unmarshal (?:bool|number)/.test(error),
      );
      expect(mistyped.map(([name]) => name).filter((name) => !aboutTypes.has(name))).toEqual([]);
    });
  });

  describe.skipIf(!hasKubectl)(`${topic}, as kubectl kustomize answers now (needs kubectl)`, () => {
    // The recorded answers are checked against the oracle at a few places, to keep the tests fast.
    it('for every 25th case', async () => {
      const sample = Object.entries(cases).filter((_, index) => index % 25 === 0);
      await inPairs(sample, async ([name, files]) => {
        expect({ files: digestOf(files), ...(await oracleAnswer(files)) }, name).toEqual(answers[name]);
      });
    });
  });
}
