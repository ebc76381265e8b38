/**
 * Lines of a container's log file, in the format of the Container Runtime Interface: time, stream, whether the line is
 * whole (F) or goes on in the next (P), text. Pure.
 */

export type LogStream = 'stdout' | 'stderr';

export interface LogLine {
  /** RFC 3339, with nanoseconds. */
  readonly time: string;
  readonly stream: LogStream;
  /** With its newline where the program wrote one. */
  readonly text: string;
}

/** A longer line is stored in parts, as container runtimes do, so that a program without newlines fills no memory. */
export const maxLinePartBytes = 16 * 1024;

/** One stored line for a part of a line that the program wrote. `part` has no newline. */
export function formatLogLine(time: string, stream: LogStream, part: string, isWhole: boolean): string {
  return `${time} ${stream} ${isWhole ? 'F' : 'P'} ${part}\n`;
}

/** Undefined for a line that was not stored by `formatLogLine`. */
export function parseLogLine(line: string): LogLine | undefined {
  const match = /^(\S+) (stdout|stderr) ([FP]) ([\s\S]*)$/.exec(line);
  if (!match) return undefined;
  const [, time = '', stream, tag, text = ''] = match;
  return { time, stream: stream as LogStream, text: tag === 'F' ? `${text}\n` : text };
}

/** The time with the resolution of the clock; log readers compare times as texts of one length. */
export function logTime(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const nanoseconds = Math.round((milliseconds - whole) * 1e6);
  const seconds = new Date(whole).toISOString().slice(0, -1);
  return `${seconds}${String(nanoseconds).padStart(6, '0').slice(0, 6)}Z`;
}

/** Cuts what a program writes to one stream into stored lines. */
export class LineSplitter {
  private readonly stream: LogStream;
  private readonly now: () => number;
  private readonly decoder = new TextDecoder();
  private rest = '';

  /** `now` gives milliseconds since the epoch. */
  constructor(stream: LogStream, now: () => number) {
    this.stream = stream;
    this.now = now;
  }

  push(chunk: Uint8Array): string {
    return this.split(this.rest + this.decoder.decode(chunk, { stream: true }));
  }

  /** What is left when the stream ends: a line without a newline. */
  end(): string {
    const text = this.rest + this.decoder.decode();
    this.rest = '';
    return text === '' ? '' : formatLogLine(logTime(this.now()), this.stream, text, false);
  }

  private split(text: string): string {
    const time = logTime(this.now());
    const lines = text.split('\n');
    const last = lines.pop() ?? '';
    let stored = '';
    for (const line of lines) stored += this.storeParts(time, line, true);
    const keep = last.length % maxLinePartBytes;
    const whole = last.slice(0, last.length - keep);
    if (whole !== '') stored += this.storeParts(time, whole, false);
    this.rest = last.slice(last.length - keep);
    return stored;
  }

  private storeParts(time: string, line: string, endsLine: boolean): string {
    let stored = '';
    for (let start = 0; start < line.length || start === 0; start += maxLinePartBytes) {
      const part = line.slice(start, start + maxLinePartBytes);
      const isLast = start + maxLinePartBytes >= line.length;
      stored += formatLogLine(time, this.stream, part, isLast && endsLine);
    }
    return stored;
  }
}
