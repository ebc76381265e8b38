/** What is in the volumes that Kubernetes fills from objects. */

import type { ObjectApi } from '../../../kubernetes/index.ts';
import { ContainerConfigError, fieldValue, type PodFacts, readKeys, resourceValue } from '../environment.ts';
import type { DownwardItem, FileItem, ProjectedSource, Volume } from '../pod-spec.ts';

export interface VolumeFile {
  /** Relative to the volume. */
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** As the API defaults it: rw-r--r--. */
const defaultFileMode = 0o644;

/** Undefined for a volume that is not filled from objects. Throws `ContainerConfigError` for what is not there. */
export async function volumeFiles(
  api: ObjectApi,
  facts: PodFacts,
  volume: Volume,
): Promise<VolumeFile[] | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (projected) {
    const mode = projected.defaultMode ?? defaultFileMode;
    const parts = await Promise.all(
      (projected.sources ?? []).map((source) => sourceFiles(api, facts, source, mode)),
    );
    return parts.flat();
  }
  const mode = (configMap ?? secret ?? downwardAPI)?.defaultMode ?? defaultFileMode;
  if (configMap) return sourceFiles(api, facts, { configMap }, mode);
  if (secret) return sourceFiles(api, facts, { secret: { ...secret, name: secret.secretName } }, mode);
  if (downwardAPI) return sourceFiles(api, facts, { downwardAPI }, mode);
  return undefined;
}

async function sourceFiles(
  api: ObjectApi,
  facts: PodFacts,
  { configMap, secret, downwardAPI }: ProjectedSource,
  defaultMode: number,
): Promise<VolumeFile[]> {
  if (downwardAPI) return (downwardAPI.items ?? []).map((item) => downwardFile(facts, item, defaultMode));
  const reference = configMap ?? secret;
  if (!reference) return [];
  const { namespace } = facts.pod.metadata;
  const kind = configMap ? 'ConfigMap' : 'Secret';
  const data = await readKeys(api, kind, namespace, reference.name, reference.optional);
  if (!data) return [];
  const items: FileItem[] = reference.items ?? Object.keys(data).map((key) => ({ key, path: key }));
  return items.flatMap(({ key, path, mode = defaultMode }) => {
    const content = data[key];
    if (content) return [{ path, content, mode }];
    if (reference.optional) return [];
    throw new ContainerConfigError(`references non-existent ${configMap ? 'config' : 'secret'} key: ${key}`);
  });
}

function downwardFile(facts: PodFacts, item: DownwardItem, defaultMode: number): VolumeFile {
  const { fieldRef, resourceFieldRef, path, mode = defaultMode } = item;
  const text = fieldRef
    ? fieldValue(facts, fieldRef.fieldPath)
    : resourceFieldRef
      ? resourceValue(facts.pod, resourceFieldRef, undefined)
      : '';
  return { path, content: Buffer.from(text), mode };
}
