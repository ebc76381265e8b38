/** How nodes look after kustomize has sent them through JSON: the quotes of the source are gone, only the types are left. */

import {
  effectiveScalar,
  isNullNode,
  refuseTypedKey,
  type ScalarNode,
  writtenStyle,
  type YamlNode,
} from '../yaml/index.ts';

/**
 * Read back from JSON text: every string is in double quotes, and so is every key. Unless the JSON was made `directly` from the
 * nodes, they were written as YAML and read back before. Changes the node.
 */
export function jsonStyle<Node extends YamlNode>(node: Node, directly = false): Node {
  const change = (scalar: ScalarNode): void => {
    if (directly && scalar.style !== 'plain') scalar.style = isNullNode(scalar) ? 'plain' : 'double';
    const value = effectiveScalar(scalar);
    scalar.text = value.text;
    scalar.style = value.type === 'string' ? 'double' : 'plain';
    scalar.tag = tagOf(value.type);
  };
  eachScalar(node, change, !directly);
  eachKey(node, (key) => {
    key.style = 'double';
  });
  return node;
}

/**
 * Decoded from JSON and written by go-yaml v3: strings are quoted only where they must be, and every number has been a 64-bit
 * float. `onPrecisionLoss` hears of whole numbers that this changes. Changes the node.
 */
export function floatStyle<Node extends YamlNode>(
  node: Node,
  onPrecisionLoss: (scalar: ScalarNode, after: string) => void,
): Node {
  eachScalar(node, (scalar) => {
    const value = effectiveScalar(scalar);
    scalar.tag = tagOf(value.type);
    if (value.type === 'string') {
      scalar.text = value.text;
      scalar.style = writtenStyle(value.text);
    } else {
      scalar.style = 'plain';
      scalar.text = value.text;
      if (value.type === 'integer') {
        // Written with the fewest digits that give the same float.
        const after = Number(value.text).toString();
        if (after !== value.text) onPrecisionLoss(scalar, after);
        scalar.text = after;
      }
    }
  });
  return node;
}

const tags = {
  string: '!!str',
  integer: '!!int',
  float: '!!float',
  boolean: '!!bool',
  null: '!!null',
} as const;
const tagOf = (type: keyof typeof tags): string => tags[type];

/** Refuses keys that are no strings, but for those of the root, which go-yaml reads as strings. */
function eachScalar(node: YamlNode, change: (scalar: ScalarNode) => void, isRoot = true): void {
  if (node.kind === 'scalar') change(node);
  else if (node.kind === 'map') {
    for (const entry of node.entries) {
      if (!entry.hasPlainKey) {
        if (!isRoot) refuseTypedKey(entry.key);
        entry.key.tag = '!!str';
      }
      eachScalar(entry.value, change, false);
    }
  } else for (const item of node.items) eachScalar(item, change, false);
}

function eachKey(node: YamlNode, change: (key: ScalarNode) => void): void {
  if (node.kind === 'map') {
    for (const entry of node.entries) {
      change(entry.key);
      eachKey(entry.value, change);
    }
  } else if (node.kind === 'sequence') for (const item of node.items) eachKey(item, change);
}
