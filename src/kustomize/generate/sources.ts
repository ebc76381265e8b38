/** The data of generated ConfigMaps and Secrets. Source: api/kv and api/internal/generators of kustomize 5.5. */

import { posix } from 'node:path';
import type { YamlNode } from '../../yaml/index.ts';
import { refuse } from '../problem.ts';
import type { Located } from '../read/decode.ts';
import type { GeneratorEntry } from '../read/kustomization.ts';
import type { Loader } from '../read/loader.ts';

export interface Datum {
  /** Text, or bytes that are none. */
  readonly value: string | Uint8Array;
  /** What named it in the kustomization. */
  readonly node: YamlNode;
}

/** All keys of an entry, from envs, literals and files in this order. Throws `KustomizeProblem`. */
export function readData(entry: GeneratorEntry, loader: Loader): Map<string, Datum> {
  const data = new Map<string, Datum>();
  const add = (key: string, value: Datum['value'], node: YamlNode): void => {
    if (data.has(key)) {
      refuse('SL1011', `${entry.name} has the key ${key} twice`, node, {
        hint: 'Give one of the two another key.',
      });
    }
    data.set(key, { value, node });
  };
  const envs = [...(entry.envs ?? []), ...(entry.env?.value ? [entry.env] : [])];
  for (const env of envs) {
    for (const [key, value] of readEnvFile(loader.loadBytes(env.value, env.node), env))
      add(key, value, env.node);
  }
  for (const literal of entry.literals ?? []) add(...splitLiteral(literal), literal.node);
  for (const file of entry.files ?? []) {
    const [key, path] = splitFile(file);
    add(key, textOrBytes(loader.loadBytes(path, file.node)), file.node);
  }
  return data;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes;
  }
}

/** Go's bufio.Scanner gives up at longer lines. */
const maxEnvLineBytes = 64 * 1024;

/** `key=value` on every line; lines that are empty or start with # do not count. */
function readEnvFile(bytes: Uint8Array, at: Located<string>): [key: string, value: string][] {
  const text = textOrBytes(bytes);
  if (typeof text !== 'string') refuse('SL1002', `${at.value} is not UTF-8 text`, at.node);
  const pairs: [string, string][] = [];
  for (const [index, rawLine] of text.split('\n').entries()) {
    const withoutReturn = rawLine.endsWith('\r') ? rawLine.slice(0, -1) : rawLine;
    if (Buffer.byteLength(rawLine) >= maxEnvLineBytes) {
      refuse('SL1011', `line ${index + 1} of ${at.value} is longer than 64 KiB`, at.node, {
        hint: 'kustomize stops reading there without a word. Put long values into a file of their own, under files:.',
      });
    }
    const line = (index === 0 ? withoutReturn.replace(/^\ufeff/, '') : withoutReturn).replace(
      /^[\s\x85]+/u,
      '',
    );
    if (line === '' || line.startsWith('#')) continue;
    const cut = line.indexOf('=');
    const key = cut < 0 ? line : line.slice(0, cut);
    if (key !== '') pairs.push([key, cut < 0 ? '' : line.slice(cut + 1)]);
  }
  return pairs;
}

function splitLiteral({ value, node }: Located<string>): [key: string, value: string] {
  const cut = value.indexOf('=');
  if (cut <= 0) refuse('SL1011', `the literal ${value} is not of the form key=value`, node);
  return [value.slice(0, cut), withoutQuotes(value.slice(cut + 1))];
}

/** One pair of quotes around the whole goes. */
function withoutQuotes(text: string): string {
  const quote = text[0];
  const isQuoted = text.length >= 2 && (quote === '"' || quote === "'") && text.endsWith(quote);
  return isQuoted ? text.slice(1, -1) : text;
}

function splitFile({ value, node }: Located<string>): [key: string, path: string] {
  const parts = value.split('=');
  const [key = '', path] = parts;
  if (path === undefined) return [posix.basename(value), value];
  if (key === '' || path === '' || parts.length > 2) {
    refuse('SL1011', `the file ${value} is not of the form path or key=path`, node);
  }
  return [key, path];
}
