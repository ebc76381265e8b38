/** Words of a kustomization file that kustomize does not know and passes over without a word. */

import { nearestName } from '../../diagnostics/index.ts';
import { entryOf, fieldOf, type Origin, type YamlNode } from '../../yaml/index.ts';
import type { Build } from '../build.ts';
import { diagnosticAt } from '../problem.ts';
import type { KustomizationFields } from '../read/kustomization.ts';

const options = ['allowNameChange', 'allowKindChange'];
const behaviors = ['create', 'replace', 'merge'];
const schemas = ['path', 'version'];
const buildMetadata = ['originAnnotations', 'transformerAnnotations', 'managedByLabel'];

export function reportIgnoredWords(fields: KustomizationFields, build: Build): void {
  const report = (what: string, word: string, known: readonly string[], at: Origin): void => {
    if (word === '' || known.includes(word)) return;
    const nearest = nearestName(word, known);
    const hint = nearest ? `Did you mean ${nearest}?` : `kustomize knows ${known.join(', ')}.`;
    build.diagnostics.push(
      diagnosticAt('warning', 'SL1115', `${what} ${word} is not known and ignored`, at, { hint }),
    );
  };
  for (const { value, node } of fields.buildMetadata ?? []) {
    report('the build metadata', value, buildMetadata, node);
  }
  reportKeys(fieldOf(fields.node, 'openapi'), (key, at) => report('the field', key, schemas, at));
  for (const { node } of fields.patches ?? []) {
    reportKeys(fieldOf(node, 'options'), (key, at) => report('the option', key, options, at));
  }
  for (const { behavior = '', node } of [
    ...(fields.configMapGenerator ?? []),
    ...(fields.secretGenerator ?? []),
  ]) {
    report('the behavior', behavior, behaviors, entryOf(node, 'behavior')?.value ?? node);
  }
}

function reportKeys(map: YamlNode | undefined, report: (key: string, at: Origin) => void): void {
  if (map?.kind !== 'map') return;
  for (const entry of map.entries) report(entry.name, entry);
}
