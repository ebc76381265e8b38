/** Finds the fields that a JSON text gives twice, which JSON.parse passes over. */

/** Deeper texts are refused, in YAML too: whoever walks the value would run out of stack. */
export const maxDepth = 500;

/**
 * Paths as Kubernetes names them, `spec.ports[0].port`, in the order found. The text has to be valid JSON. Throws where it
 * is nested too deep.
 */
export function duplicateFields(text: string): string[] {
  const found: string[] = [];
  new Scanner(text, found).value('');
  return found;
}

class Scanner {
  readonly #text: string;
  readonly #found: string[];
  #at = 0;
  #depth = 0;

  constructor(text: string, found: string[]) {
    this.#text = text;
    this.#found = found;
  }

  value(path: string): void {
    this.#space();
    const character = this.#text[this.#at];
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new SyntaxError('exceeded max depth');
    if (character === '{') this.#object(path);
    else if (character === '[') this.#array(path);
    else if (character === '"') this.#string();
    else this.#scalar();
    this.#depth -= 1;
  }

  #scalar(): void {
    while (this.#at < this.#text.length && !/[\s,\]}]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at += 1;
  }

  /** Returns whether another entry follows. */
  #next(): boolean {
    this.#space();
    const more = this.#text[this.#at] === ',';
    this.#at += 1;
    return more;
  }

  #isEmpty(end: string): boolean {
    this.#at += 1;
    this.#space();
    if (this.#text[this.#at] !== end) return false;
    this.#at += 1;
    return true;
  }

  #object(path: string): void {
    if (this.#isEmpty('}')) return;
    const seen = new Set<string>();
    do {
      this.#space();
      const field = JSON.parse(this.#string()) as string;
      const fieldPath = path ? `${path}.${field}` : field;
      if (seen.has(field) && !this.#found.includes(fieldPath)) this.#found.push(fieldPath);
      seen.add(field);
      this.#space();
      this.#at += 1;
      this.value(fieldPath);
    } while (this.#next());
  }

  #array(path: string): void {
    if (this.#isEmpty(']')) return;
    let index = 0;
    do {
      this.value(`${path}[${index}]`);
      index += 1;
    } while (this.#next());
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    while (this.#text[this.#at] !== '"') this.#at += this.#text[this.#at] === '\\' ? 2 : 1;
    this.#at += 1;
    return this.#text.slice(start, this.#at);
  }
}
