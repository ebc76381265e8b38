/**
 * Regular expressions in Go's syntax, matched in time linear in the text. The name in a ClientHello comes from
 * anybody, and JavaScript's own engine can be kept busy for hours by a name chosen for the pattern. Pure.
 */

import { type Assertion, isWord, PatternError, type PatternNode, parseGoPattern } from './go-pattern.ts';

/** Whether the pattern is found anywhere in the text. */
export type TextMatcher = (text: string) => boolean;

type Instruction =
  | { kind: 'chars'; has: (code: number) => boolean }
  | { kind: 'assert'; at: Assertion }
  | { kind: 'split'; to: number[] }
  | { kind: 'match' };

/** A pattern for host names has tens. Nested counts multiply, so the product needs a limit too. */
const maxInstructions = 20_000;

/** Throws `PatternError`. */
export function compileGoPattern(pattern: string): TextMatcher {
  const program: Instruction[] = [];
  emit(parseGoPattern(pattern), program);
  program.push({ kind: 'match' });
  return (text) => isFound(program, text);
}

function emit(node: PatternNode, program: Instruction[]): void {
  if (program.length > maxInstructions) throw new PatternError('the pattern is too large', 0);
  switch (node.kind) {
    case 'empty':
      return;
    case 'chars':
    case 'assert':
      program.push(node);
      return;
    case 'sequence':
      for (const part of node.parts) emit(part, program);
      return;
    case 'choice':
      emitChoice(node.options, program);
      return;
    case 'repeat':
      emitRepeat(node, program);
  }
}

function emitChoice(options: readonly PatternNode[], program: Instruction[]): void {
  const branch: Instruction & { kind: 'split' } = { kind: 'split', to: [] };
  program.push(branch);
  const exits: (Instruction & { kind: 'split' })[] = [];
  for (const option of options) {
    branch.to.push(program.length);
    emit(option, program);
    const exit = { kind: 'split' as const, to: [] };
    program.push(exit);
    exits.push(exit);
  }
  for (const exit of exits) exit.to.push(program.length);
}

function emitRepeat({ of, atLeast, atMost }: PatternNode & { kind: 'repeat' }, program: Instruction[]): void {
  for (let count = 0; count < atLeast; count++) emit(of, program);
  const skips: (Instruction & { kind: 'split' })[] = [];
  const optional = atMost === Number.POSITIVE_INFINITY ? 1 : atMost - atLeast;
  for (let count = 0; count < optional; count++) {
    const start = program.length;
    const branch = { kind: 'split' as const, to: [start + 1] };
    program.push(branch);
    skips.push(branch);
    emit(of, program);
    if (atMost === Number.POSITIVE_INFINITY) program.push({ kind: 'split', to: [start] });
  }
  for (const skip of skips) skip.to.push(program.length);
}

/** All states at once, one character after the other: no way back, so no blow-up. */
function isFound(program: readonly Instruction[], text: string): boolean {
  let current: number[] = [];
  for (let position = 0; position <= text.length; position++) {
    const reached = new Uint8Array(program.length);
    const leaves: number[] = [];
    for (const state of [...current, 0]) {
      if (follow(program, state, text, position, reached, leaves)) return true;
    }
    const code = text.charCodeAt(position);
    current = leaves.flatMap((state) => {
      const instruction = program[state]!;
      return position < text.length && instruction.kind === 'chars' && instruction.has(code) ? state + 1 : [];
    });
  }
  return false;
}

/** Adds the states that wait for a character, reached from one without reading any. True when it reaches the end. */
function follow(
  program: readonly Instruction[],
  from: number,
  text: string,
  position: number,
  reached: Uint8Array,
  leaves: number[],
): boolean {
  const open = [from];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (reached[state]) continue;
    reached[state] = 1;
    const instruction = program[state]!;
    if (instruction.kind === 'match') return true;
    if (instruction.kind === 'chars') leaves.push(state);
    else if (instruction.kind === 'split') open.push(...instruction.to);
    else if (holds(instruction.at, text, position)) open.push(state + 1);
  }
  return false;
}

function holds(assertion: Assertion, text: string, position: number): boolean {
  const isWordAt = (index: number) => index >= 0 && index < text.length && isWord(text.charCodeAt(index));
  switch (assertion) {
    case 'start':
      return position === 0;
    case 'end':
      return position === text.length;
    case 'lineStart':
      return position === 0 || text.charCodeAt(position - 1) === 10;
    case 'lineEnd':
      return position === text.length || text.charCodeAt(position) === 10;
    case 'wordEdge':
      return isWordAt(position - 1) !== isWordAt(position);
    case 'notWordEdge':
      return isWordAt(position - 1) === isWordAt(position);
  }
}
