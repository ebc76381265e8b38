import { describe, expect, it } from 'vitest';
import { readApplications } from '../../src/argocd/index.ts';

const application = (spec: string) =>
  `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: demo\nspec:\n${spec}`;

describe('readApplications', () => {
  it('reads a path source with its destination and namespace option', () => {
    const text = application(
      '  source:\n    repoURL: https://git.example.com/x.git\n    path: apps/demo\n' +
        '  destination:\n    namespace: backend\n  syncPolicy:\n    syncOptions: [CreateNamespace=true]\n',
    );
    const { applications, diagnostics } = readApplications(text, 'a.yaml');
    expect(diagnostics).toEqual([]);
    expect(applications[0]).toMatchObject({
      name: 'demo',
      destinationNamespace: 'backend',
      createsNamespace: true,
      sources: [{ kind: 'path', path: 'apps/demo', position: { file: 'a.yaml', line: 8, column: 11 } }],
    });
  });

  it('reads every one of several sources', () => {
    const text = application(
      '  sources:\n  - { repoURL: r, path: one }\n  - { repoURL: r, chart: traefik, targetRevision: 26.0.0 }\n',
    );
    const sources = readApplications(text, 'a.yaml').applications[0]?.sources;
    expect(sources?.map(({ kind }) => kind)).toEqual(['path', 'chart']);
  });

  it('takes valuesObject over values, as Argo CD does', () => {
    const text = application(
      '  source:\n    repoURL: r\n    chart: traefik\n    helm:\n      values: "a: 1"\n      valuesObject:\n        b: 2\n',
    );
    const source = readApplications(text, 'a.yaml').applications[0]?.sources[0];
    expect(source?.kind === 'chart' && source.values?.value).toEqual({ b: 2 });
    expect(source?.kind === 'chart' && source.values?.locate(['b']).line).toBe(12);
  });

  it('leaves documents of other kinds out', () => {
    expect(readApplications('kind: ConfigMap\napiVersion: v1\n', 'a.yaml').applications).toEqual([]);
  });

  it.each([
    ['a source without path and chart', '  source:\n    repoURL: r\n', 'SL2001'],
    ['no source at all', '  project: default\n', 'SL2001'],
    ['a wrong type', '  source:\n    repoURL: 7\n', 'SL2001'],
    [
      'kustomize overrides',
      '  source:\n    repoURL: r\n    path: p\n    kustomize: { namePrefix: x- }\n',
      'SL2002',
    ],
    [
      'value files',
      '  source:\n    repoURL: r\n    chart: c\n    helm: { valueFiles: [v.yaml] }\n',
      'SL2002',
    ],
  ])('refuses %s, with its place', (_, spec, code) => {
    const { diagnostics } = readApplications(application(spec), 'a.yaml');
    expect(diagnostics[0]).toMatchObject({ code, severity: 'error', position: { file: 'a.yaml' } });
  });
});
