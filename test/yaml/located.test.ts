import { describe, expect, it } from 'vitest';
import { readLocatedYaml } from '../../src/yaml/index.ts';

describe('readLocatedYaml', () => {
  it('says where each value stands, and falls back to the nearest value around a missing one', () => {
    const { documents } = readLocatedYaml('a:\n  - b: 1\n    c: 2\n', 'x.yaml');
    expect(documents[0]?.locate(['a', 0, 'c'])).toEqual({ file: 'x.yaml', line: 3, column: 8 });
    expect(documents[0]?.locate(['a', 0, 'missing'])).toEqual({ file: 'x.yaml', line: 2, column: 5 });
  });

  it('reads YAML inside a block scalar with the positions of the outer file', () => {
    const text = 'helm:\n  values: |\n    # comment\n    ports:\n      myudp:\n        nodePort: 30998\n';
    const read = readLocatedYaml(text, 'app.yaml').documents[0]?.embedded(['helm', 'values']);
    const inner = read?.documents[0];
    expect(inner?.value).toEqual({ ports: { myudp: { nodePort: 30998 } } });
    expect(inner?.locate(['ports', 'myudp', 'nodePort'])).toEqual({ file: 'app.yaml', line: 6, column: 19 });
  });

  it('reports a syntax error inside a block scalar at its line of the outer file', () => {
    const text = 'values: |\n  ports:\n    a: [1\nother: 1\n';
    const read = readLocatedYaml(text, 'app.yaml').documents[0]?.embedded(['values']);
    expect(read?.diagnostics[0]).toMatchObject({ code: 'SL1002', position: { file: 'app.yaml' } });
    expect(read?.diagnostics[0]?.position?.line).toBeGreaterThanOrEqual(3);
  });

  it('goes on with the other documents after a broken one', () => {
    const { documents, diagnostics } = readLocatedYaml('a: 1\n---\nb: "x\n---\nc: 3\n', 'x.yaml');
    expect(documents.length).toBeGreaterThanOrEqual(1);
    expect(diagnostics[0]).toMatchObject({ code: 'SL1002', severity: 'error' });
  });

  it('refuses aliases that would expand without end', () => {
    const levels = Array.from({ length: 12 }, (_, level) =>
      level === 0
        ? 'a0: &a0 [x]'
        : `a${level}: &a${level} [${Array(9)
            .fill(`*a${level - 1}`)
            .join(', ')}]`,
    );
    const { documents, diagnostics } = readLocatedYaml(levels.join('\n'), 'bomb.yaml');
    expect(documents).toEqual([]);
    expect(diagnostics[0]).toMatchObject({ code: 'SL1002' });
  });
});
