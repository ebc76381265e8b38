/** The body of a watch: one JSON text a line. */

import type { Readable } from 'node:stream';

/** Longer ones are refused: the API caps an object at a few MiB. */
const maxLineLength = 16 * 1024 * 1024;

export class WatchSyntaxError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WatchSyntaxError';
  }
}

/** Lines without their ends. Throws what the stream fails with, and `WatchSyntaxError` for a line too long. */
export async function* readLines(body: Readable): AsyncGenerator<string> {
  body.setEncoding('utf8');
  let pieces: string[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<string>) {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      pieces.push(chunk.slice(start, end));
      const line = pieces.length === 1 ? (pieces[0] ?? '') : pieces.join('');
      pieces = [];
      length = 0;
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    if (start === chunk.length) continue;
    pieces.push(start === 0 ? chunk : chunk.slice(start));
    length += chunk.length - start;
    if (length > maxLineLength) throw new WatchSyntaxError('a line of the watch is too long');
  }
}
