/**
 * How go-yaml v2 writes a string: plain where that reads back as the same string, else quoted, with lines folded at column 80.
 * Source: encode.go and emitterc.go of gopkg.in/yaml.v2.
 */

import type { ScalarStyle } from './nodes.ts';
import { resolveOldType } from './resolve.ts';

/** A line is broken at the next single blank once it is longer. */
const bestWidth = 80;

interface Analysis {
  readonly isMultiline: boolean;
  readonly plainAllowed: boolean;
  readonly singleAllowed: boolean;
  readonly blockAllowed: boolean;
}

/**
 * The text of a string. `indent` is where a continued line starts, `column` where the text itself starts. As a key it is never
 * folded, and undefined where it needs the long form (`? key`).
 */
export function emitString(text: string, indent: number, column: number, asKey: boolean): string | undefined {
  const type = resolveOldType(text);
  const isString = text !== '' && (type === 'string' || type === 'merge') && !isSexagesimal(text);
  const analysis = analyse(text);
  if (asKey && analysis.isMultiline) return undefined;
  if (text.includes('\n')) {
    return analysis.blockAllowed && !asKey ? literal(text, indent) : double(text, indent, column, !asKey);
  }
  if (!isString) return double(text, indent, column, !asKey);
  if (analysis.plainAllowed) return folded(text, indent, column, !asKey);
  if (!analysis.singleAllowed) return double(text, indent, column, !asKey);
  return single(text, indent, column, !asKey);
}

/** Base 60, which YAML 1.1 has and go-yaml quotes though it does not read it. */
function isSexagesimal(text: string): boolean {
  return text.includes(':') && /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text);
}

const simpleText = /^[A-Za-z0-9_./][A-Za-z0-9_./-]*$/;

/** The style in which go-yaml writes a text, and which a reader of its output finds. */
export function writtenStyle(text: string): ScalarStyle {
  const { plainAllowed, singleAllowed, blockAllowed } = analyse(text);
  if (text.includes('\n')) return blockAllowed ? 'literal' : 'double';
  const type = resolveOldType(text);
  if (text === '' || (type !== 'string' && type !== 'merge') || isSexagesimal(text)) return 'double';
  if (plainAllowed) return 'plain';
  return singleAllowed ? 'single' : 'double';
}

/** Whether go-yaml v3, which has nothing against tabs, would write the text as a block, given the choice. */
export const mayBeBlock = (text: string): boolean => analyse(text.replaceAll('\t', 'x')).blockAllowed;

function analyse(text: string): Analysis {
  if (simpleText.test(text) && !text.startsWith('...')) return simpleAnalysis;
  if (text === '') return { ...simpleAnalysis, blockAllowed: false };
  let hasIndicators = /^(?:---|\.\.\.)/.test(text) || /^(?:[#,[\]{}&*!|>'"%@`]|[?:-](?:[ \t]|$))/.test(text);
  hasIndicators ||= /.:(?:[ \t]|$)/su.test(text) || /(?:^|[ \t\n\r\x85\u2028\u2029])#/.test(text);
  const hasBreaks = /[\n\r\x85\u2028\u2029]/.test(text);
  const hasEdges = /^[ \n\r\x85\u2028\u2029]|[ \n\r\x85\u2028\u2029]$/.test(text);
  const breakThenSpace = /[\n\r\x85\u2028\u2029] /.test(text);
  const spaceThenBreak = / [\n\r\x85\u2028\u2029]/.test(text);
  const isSpecial = unprintable.test(text);
  const never = spaceThenBreak || isSpecial;
  return {
    isMultiline: hasBreaks,
    plainAllowed: !never && !hasEdges && !breakThenSpace && !hasBreaks && !hasIndicators,
    singleAllowed: !never && !breakThenSpace,
    blockAllowed: !never && !text.endsWith(' '),
  };
}

const simpleAnalysis: Analysis = {
  isMultiline: false,
  plainAllowed: true,
  singleAllowed: true,
  blockAllowed: true,
};

/** Tabs, control characters, the byte order mark and everything outside the basic plane. */
const unprintable = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;

/** Breaks the text at single blanks beyond column 80. */
function folded(text: string, indent: number, column: number, mayFold: boolean): string {
  if (!mayFold || column + text.length <= bestWidth || !text.includes(' ')) return text;
  const margin = `\n${' '.repeat(indent)}`;
  let output = '';
  let position = column;
  let afterSpace = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (character === ' ') {
      if (!afterSpace && position > bestWidth && text[index + 1] !== ' ') {
        output += margin;
        position = indent;
      } else {
        output += ' ';
        position++;
      }
      afterSpace = true;
    } else {
      output += character;
      position++;
      afterSpace = false;
    }
  }
  return output;
}

function single(text: string, indent: number, column: number, mayFold: boolean): string {
  const margin = ' '.repeat(indent);
  let output = "'";
  let position = column + 1;
  let [afterSpace, afterBreak] = [false, false];
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (character === ' ') {
      const isInner = index > 0 && index < text.length - 1;
      if (mayFold && !afterSpace && position > bestWidth && isInner && text[index + 1] !== ' ') {
        output += `\n${margin}`;
        position = indent;
      } else {
        output += ' ';
        position++;
      }
      afterSpace = true;
    } else if (/[\r\x85\u2028\u2029]/.test(character)) {
      output += character;
      position = 0;
      afterBreak = true;
    } else {
      if (afterBreak) {
        output += margin;
        position = indent;
      }
      output += character === "'" ? "''" : character;
      position += character === "'" ? 2 : 1;
      [afterSpace, afterBreak] = [false, false];
    }
  }
  return `${output}'`;
}

const escapes = new Map([
  [0x00, '\\0'],
  [0x07, '\\a'],
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0b, '\\v'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x1b, '\\e'],
  [0x22, '\\"'],
  [0x5c, '\\\\'],
  [0x85, '\\N'],
  [0x2028, '\\L'],
  [0x2029, '\\P'],
]);

const noEscapes = /^[A-Za-z0-9_.:/~<=+-]*$/;

function double(text: string, indent: number, column: number, mayFold: boolean): string {
  if (noEscapes.test(text)) return `"${text}"`;
  // go-yaml looks for a byte order mark at the start of the text instead of the place it is at, and escapes all that follows.
  if (text.startsWith('\ufeff')) return `"${Array.from(text, (rune) => escaped(rune, true)).join('')}"`;
  const margin = `\n${' '.repeat(indent)}`;
  const runes = Array.from(text);
  let output = '"';
  let position = column + 1;
  let afterSpace = false;
  for (const [index, rune] of runes.entries()) {
    if (rune === ' ') {
      const isInner = index > 0 && index < runes.length - 1;
      if (mayFold && !afterSpace && position > bestWidth && isInner) {
        output += margin;
        position = indent;
        if (runes[index + 1] === ' ') {
          output += '\\';
          position++;
        }
      } else {
        output += ' ';
        position++;
      }
      afterSpace = true;
      continue;
    }
    const piece = escaped(rune);
    output += piece;
    position += piece.length;
    afterSpace = false;
  }
  return `${output}"`;
}

function escaped(rune: string, always = false): string {
  const code = rune.codePointAt(0) ?? 0;
  const known = escapes.get(code);
  if (known) return known;
  if (!always && !unprintable.test(rune)) return rune;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** `|`, with the hints that make it read back the same. Without the last line break where the text ends with one. */
function literal(text: string, indent: number): string {
  const startsBlank = text.startsWith(' ') || text.startsWith('\n');
  const hint = startsBlank ? '2' : '';
  let chomping = '';
  if (!text.endsWith('\n')) chomping = '-';
  else if (text === '\n' || /[\n\r\x85\u2028\u2029]\n$/.test(text)) chomping = '+';
  const margin = ' '.repeat(indent);
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const lines = body.split('\n').map((line) => (line === '' ? '' : margin + line));
  const written = lines
    .join('\n')
    .replace(/[\u2028\u2029](?=[^\n\u2028\u2029])/g, (lineBreak) => lineBreak + margin);
  return `|${hint}${chomping}\n${written}`;
}
