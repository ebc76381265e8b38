import { describe, expect, it } from 'vitest';
import type { CaseFiles } from '../cases/shared.ts';
import { type Answer, ourAnswer } from '../oracle.ts';
import { randomTree } from './generate.ts';
import { describeCase, difference, shrink, shrunkCase, smallerTrees } from './shrink.ts';

/** A renderer with a mistake: the right answer, with something changed in it. */
type Mistake = (output: string) => string;

const withMistake = (files: CaseFiles, mistake: Mistake): Answer => {
  const answer = ourAnswer(files);
  return 'fails' in answer ? answer : { output: mistake(answer.output) };
};

const shows = (files: CaseFiles, mistake: Mistake): boolean =>
  difference(withMistake(files, mistake), ourAnswer(files)) === 'other bytes';

function firstTreeWith(mistake: Mistake): CaseFiles {
  for (let seed = 1; seed < 5000; seed++) if (shows(randomTree(seed), mistake)) return randomTree(seed);
  throw new Error('no random tree shows this mistake');
}

const mistakes: Readonly<Record<string, Mistake>> = {
  'the protocol of a port that a Deployment has': (output) =>
    output.replace(/(kind: Deployment[\s\S]*?)protocol: UDP/, '$1protocol: TCP'),
  'a namespace together with a prefix': (output) =>
    output.replace(/name: p-(.*)\n {2}namespace: ns3/, 'name: p-$1\n  namespace: ns4'),
  'what a patch of an annotation leaves': (output) => output.replace('k: "true"', 'k: true'),
};

describe('a tree with a difference', () => {
  it.each(Object.entries(mistakes))(
    'shrinks to one in which nothing can be left out: %s',
    async (_, mistake) => {
      const tree = firstTreeWith(mistake);
      const { files, isMinimal } = await shrink(tree, async (smaller) => shows(smaller, mistake), 20_000);
      expect(isMinimal).toBe(true);
      expect(shows(files, mistake)).toBe(true);
      expect([...smallerTrees(files)].filter((smaller) => shows(smaller, mistake))).toEqual([]);
      expect(JSON.stringify(files).length).toBeLessThan(JSON.stringify(tree).length / 2);
    },
  );

  it('keeps no document, patch, entry or item that has nothing to do with it', async () => {
    const tree: CaseFiles = {
      'base/kustomization.yaml': 'resources: [app.yaml, other.yaml]\nnamePrefix: a-\n',
      'base/app.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: "1", y: "2"}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n',
      'base/other.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: o}\n',
      'over/kustomization.yaml':
        'resources: [../base]\nlabels:\n- pairs: {l: m}\npatches:\n- target: {kind: Secret}\n  patch: |-\n    - {op: add, path: /data, value: {}}\n- target: {name: c}\n  patch: |-\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: c, labels: {p: q}}\n    data: {x: "3", z: "4"}\n',
    };
    const mistake: Mistake = (output) => output.replace('x: "3"', 'x: 3');
    const { files } = await shrink(tree, async (smaller) => shows(smaller, mistake));
    const text = Object.values(files).join('');
    expect(text).toMatch(/x: "3"/);
    expect(text).not.toMatch(/Secret|name: o|a-|labels|y:|z:|"1"/);
  });

  it('is given up after so many tries, with the smallest tree so far', async () => {
    const mistake = mistakes['a namespace together with a prefix'] ?? String;
    const tree = firstTreeWith(mistake);
    const { files, tries, isMinimal } = await shrink(tree, async (smaller) => shows(smaller, mistake), 10);
    expect({ tries, isMinimal, shows: shows(files, mistake) }).toEqual({
      tries: 10,
      isMinimal: false,
      shows: true,
    });
  });

  it('becomes a case to add to the recorded ones', async () => {
    const mistake = mistakes['what a patch of an annotation leaves'] ?? String;
    const tree = firstTreeWith(mistake);
    const wrong = (files: CaseFiles) => withMistake(files, mistake);
    const shown = await shrunkCase('seed 1', tree, wrong, ourAnswer, 5000);
    expect(shown).toMatch(/^'seed 1': \{\n {2}'base\/app\.yaml': `/);
    expect(shown).toMatch(/sluice: {6}k: true\n {2}kubectl: {5}k: "true"$/);
    expect(await shrunkCase('seed 1', tree, ourAnswer, ourAnswer)).toBeUndefined();
  });

  it('does not turn into another difference', () => {
    expect(difference({ output: 'a' }, { fails: true })).toBe('kubectl kustomize fails');
    expect(difference({ fails: true }, { output: 'a' })).toBe('sluice fails');
    expect(difference({ output: 'a' }, { output: 'b' })).toBe('other bytes');
    expect(difference({ output: 'a' }, { output: 'a' })).toBeUndefined();
  });

  it('is shown as a case to add, with the first line that differs', () => {
    const files = { 'a.yaml': 'x: `\\` $y\n' };
    expect(describeCase('seed 7', files, { output: 'a\nb\n' }, { output: 'a\nc\n' }).split('\n')).toEqual([
      "'seed 7': {",
      "  'a.yaml': `x: \\`\\\\\\` $y",
      '`,',
      '},',
      'line 2',
      '  sluice:  b',
      '  kubectl: c',
    ]);
  });
});
