import type { SourcePosition } from '../diagnostics/index.ts';

/** The text of one file (or of a string inside one), with the way from an index in it to a line and a column. */
export class SourceText {
  /** As the user would type it. */
  readonly file: string;
  readonly text: string;
  readonly #shift: { readonly lines: number; readonly columns: number };
  #lineStarts: number[] | undefined;

  /** `shift` is added to every line and column: where an embedded text begins in its file. */
  constructor(
    file: string,
    text: string,
    shift: { lines: number; columns: number } = { lines: 0, columns: 0 },
  ) {
    this.file = file;
    this.text = text;
    this.#shift = shift;
  }

  positionAt(offset: number): SourcePosition {
    this.#lineStarts ??= lineStarts(this.text);
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    const column = offset - this.#lineStarts[low]! + 1;
    return { file: this.file, line: low + 1 + this.#shift.lines, column: column + this.#shift.columns };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let index = text.indexOf('\n'); index >= 0; index = text.indexOf('\n', index + 1))
    starts.push(index + 1);
  return starts;
}
