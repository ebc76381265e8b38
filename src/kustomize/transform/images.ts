/** The `images` of a kustomization. Source: api/filters/imagetag and api/internal/image of kustomize 5.5. */

import { nearestName } from '../../diagnostics/index.ts';
import {
  fieldOf,
  isNullNode,
  type MapNode,
  type SequenceNode,
  textOf,
  type YamlNode,
} from '../../yaml/index.ts';
import { type Build, recorderOf } from '../build.ts';
import { diagnosticAt, refuse } from '../problem.ts';
import type { ImageEntry } from '../read/kustomization.ts';
import { eachField, type FieldSpec, pathsByKind } from './field-path.ts';
import type { Pass } from './pass.ts';
import { compilePattern } from './regular-expression.ts';
import { type Recorder, setScalar } from './set-value.ts';

/** Applies one entry to the containers of a resource. */
export function imagesPass(entry: ImageEntry, specs: readonly FieldSpec[], build: Build): Pass {
  const update = makeUpdate(entry, recorderOf(build, 'images'));
  const pathsOf = pathsByKind(specs);
  let matches = 0;
  const seen = new Set<string>();
  const apply = (node: YamlNode): void => {
    if (isNullNode(node)) return;
    seen.add(splitImage(textOf(node)).name);
    if (update(node)) matches++;
  };
  return {
    each(resource) {
      const { kind } = resource;
      if (kind === 'CustomResourceDefinition') return;
      eachContainerImage(resource.node, apply);
      for (const path of pathsOf(kind)) eachField(resource, path, 'none', entry.node, apply);
    },
    end() {
      if (matches === 0) reportNoMatch(entry, seen, build);
    },
  };
}

function reportNoMatch(entry: ImageEntry, seen: ReadonlySet<string>, build: Build): void {
  const nearest = nearestName(entry.name ?? '', seen);
  const names = [...seen].slice(0, 5).join(', ');
  const hint = nearest ? `Did you mean ${nearest}?` : names && `The images are ${names}.`;
  const message = `no container has the image ${entry.name ?? ''}`;
  build.diagnostics.push(
    diagnosticAt('warning', 'SL1102', message, fieldOf(entry.node, 'name') ?? entry.node, {
      hint: hint || undefined,
    }),
  );
}

/** Lists called containers or initContainers, at any depth of any kind, inner ones first. */
function eachContainerImage(node: MapNode | SequenceNode, apply: (image: YamlNode) => void): void {
  if (node.kind === 'sequence') {
    for (const item of node.items) if (item.kind !== 'scalar') eachContainerImage(item, apply);
    return;
  }
  const { entries } = node;
  for (let index = 0; index < entries.length; index++) {
    const { name, value } = entries[index]!;
    if (value.kind === 'scalar') continue;
    eachContainerImage(value, apply);
    if ((name !== 'containers' && name !== 'initContainers') || value.kind !== 'sequence') continue;
    for (const item of value.items) {
      const image = fieldOf(item, 'image');
      if (image) apply(image);
    }
  }
}

function makeUpdate(entry: ImageEntry, recorder: Recorder): (node: YamlNode) => boolean {
  // The name is a pattern, by an oversight that some rely on.
  const pattern = compilePattern(
    `^${entry.name ?? ''}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`,
    entry.node,
  );
  return (node) => {
    if (node.kind !== 'scalar') refuse('SL1011', 'an image is a single text', node);
    if (!pattern.test(node.text)) return false;
    setScalar(node, newImage(node.text, entry), '', entry.node, recorder);
    return true;
  };
}

function newImage(text: string, { newName, newTag, digest: newDigest, tagSuffix }: ImageEntry): string {
  let { name, tag, digest } = splitImage(text);
  if (newName) name = newName;
  if (newTag && newDigest) [tag, digest] = [newTag, newDigest];
  else if (newTag) [tag, digest] = [newTag, ''];
  else if (newDigest) [tag, digest] = ['', newDigest];
  else if (tagSuffix) [tag, digest] = [tag + tagSuffix, ''];
  return name + (tag && `:${tag}`) + (digest && `@${digest}`);
}

/** A colon before the first slash belongs to the registry's address. */
export function splitImage(text: string): { name: string; tag: string; digest: string } {
  const slash = text.indexOf('/');
  const from = Math.max(slash, 0);
  const [at, colon] = [text.indexOf('@', from), text.indexOf(':', from)];
  if (at < 0 && colon < 0) return { name: text, tag: '', digest: '' };
  if (at >= 0 && (at < colon || colon < 0)) {
    return { name: text.slice(0, at), tag: '', digest: text.slice(at + 1) };
  }
  if (at >= 0)
    return { name: text.slice(0, colon), tag: text.slice(colon + 1, at), digest: text.slice(at + 1) };
  return { name: text.slice(0, colon), tag: text.slice(colon + 1), digest: '' };
}
