/** Options by name, read as what they are meant to be; what cannot be read becomes a diagnostic. */

import type { Diagnostic, SourcePosition } from '../../diagnostics/index.ts';
import { parseDurationMs } from './duration.ts';
import type { OptionValue } from './option-sources.ts';

/** The options below one word of the tree, by the rest of their path (`udp.timeout`). */
export class OptionReader {
  private readonly values = new Map<string, OptionValue>();
  private readonly diagnostics: Diagnostic[];

  constructor(diagnostics: Diagnostic[]) {
    this.diagnostics = diagnostics;
  }

  /** The last value of an option wins. */
  set(path: string, value: OptionValue): void {
    this.values.set(path, value);
  }

  /** Whether the group or anything in it was named, and not switched off. */
  hasGroup(path: string): boolean {
    if (this.values.get(path)?.value === 'false') return false;
    const names = [...this.values.keys()];
    return names.some((name) => name === path || name.startsWith(`${path}.`));
  }

  position(path: string): SourcePosition | undefined {
    return this.values.get(path)?.position;
  }

  get first(): OptionValue | undefined {
    return this.values.values().next().value;
  }

  text(path: string): string | undefined {
    return this.values.get(path)?.value;
  }

  list(path: string): string[] | undefined {
    const text = this.text(path);
    if (text === undefined) return undefined;
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }

  flag(path: string): boolean | undefined {
    const text = this.text(path)?.toLowerCase();
    if (text === undefined) return undefined;
    // What Go's strconv.ParseBool takes.
    if (['1', 't', 'true'].includes(text)) return true;
    if (['0', 'f', 'false'].includes(text)) return false;
    return this.refuse(path, 'neither true nor false');
  }

  number(path: string): number | undefined {
    const text = this.text(path);
    if (text === undefined) return undefined;
    return /^\d+(\.\d+)?$/.test(text) ? Number(text) : this.refuse(path, 'not a number of at least 0');
  }

  durationMs(path: string): number | undefined {
    const text = this.text(path);
    return text === undefined
      ? undefined
      : (parseDurationMs(text) ?? this.refuse(path, 'not a duration such as 30s'));
  }

  choice<Choice extends string>(path: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.text(path)?.toLowerCase();
    if (text === undefined) return undefined;
    return choices.find((choice) => choice === text) ?? this.refuse(path, `not one of ${choices.join(', ')}`);
  }

  /** Says that the value at `path` cannot be used. */
  refuse(path: string, what: string): undefined {
    const option = this.values.get(path);
    if (!option) return undefined;
    this.diagnostics.push({
      code: 'SL3003',
      severity: 'error',
      message: `${option.written} is ${JSON.stringify(option.value)}, which is ${what}`,
      position: option.position,
    });
    return undefined;
  }
}
