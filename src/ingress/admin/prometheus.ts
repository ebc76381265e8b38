/** Metrics in Prometheus' text format (exposition format 0.0.4). */

export type MetricKind = 'counter' | 'gauge';
export type Labels = Readonly<Record<string, string>>;

export class MetricsText {
  private readonly families = new Map<string, { head: string; lines: string[] }>();

  add(name: string, kind: MetricKind, help: string, value: number, labels: Labels = {}): void {
    const family = this.families.get(name) ?? {
      head: `# HELP ${name} ${help}\n# TYPE ${name} ${kind}`,
      lines: [],
    };
    this.families.set(name, family);
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeValue(text)}"`);
    family.lines.push(`${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`);
  }

  toString(): string {
    return [...this.families.values()].map(({ head, lines }) => `${head}\n${lines.join('\n')}\n`).join('');
  }
}

function escapeValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
