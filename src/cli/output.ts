/** The terminal: data to stdout, notes to stderr, colour only where a person looks and wants it. */

import { styleText } from 'node:util';
import { type Diagnostic, formatDiagnostic } from '../diagnostics/index.ts';

type Style = Parameters<typeof styleText>[0];

let hasColour: boolean | undefined;

/** Found out when it matters: making the stream takes a millisecond, and most commands have nothing to say. */
function wantsColour(): boolean {
  hasColour ??= Boolean(process.stderr.isTTY) && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  return hasColour;
}

/** The text in a style, or as it is where colour is not wanted. */
export function styled(style: Style, text: string): string {
  return wantsColour() ? styleText(style, text) : text;
}

/**
 * Whoever read may leave (`| head`): what is served goes on being served, and what is left to say is said to nobody.
 * Without a listener it would end the process.
 */
function onWriteFailed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
for (const stream of [process.stdout, process.stderr]) stream.on('error', onWriteFailed);

/** A line of what was asked for. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A line about what is going on. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

const severityStyle = { error: 'red', warning: 'yellow', info: 'blue' } as const;

/** In one write: there may be thousands. */
export function noteDiagnostics(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) note(diagnostics.map(styledDiagnostic).join('\n'));
}

function styledDiagnostic(diagnostic: Diagnostic): string {
  const word = `${diagnostic.severity} ${diagnostic.code}:`;
  return formatDiagnostic(diagnostic).replace(word, styled(severityStyle[diagnostic.severity], word));
}
