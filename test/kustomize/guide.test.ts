import { execFileSync, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diskFileSystem } from '../../src/files/index.ts';
import { formatObjects, renderKustomization } from '../../src/kustomize/index.ts';

const root = resolve(import.meta.dirname, '../..');
const overlays = resolve(root, 'apps/backend/udp-demo/overlays');
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

describe("the guide's overlays", () => {
  it.each(['development', 'production'])('%s renders three objects without a remark', (overlay) => {
    const result = renderKustomization(resolve(overlays, overlay), diskFileSystem, {
      workingDirectory: root,
    });
    expect(result.diagnostics).toEqual([]);
    expect(result.objects.map((object) => object.value.kind)).toEqual([
      'Service',
      'Deployment',
      'IngressRouteUDP',
    ]);
    expect(result.filesRead).toContain(resolve(overlays, overlay, 'patch-resources.yaml'));
  });

  it('know the file and line of a value', () => {
    const result = renderKustomization(resolve(overlays, 'production'), diskFileSystem, {
      workingDirectory: root,
    });
    const deployment = result.objects[1];
    expect(deployment?.locate(['spec', 'replicas'])).toEqual({
      file: 'apps/backend/udp-demo/overlays/production/patch-resources.yaml',
      line: 8,
      column: 13,
    });
    expect(deployment?.locate(['spec', 'template', 'spec', 'containers', 0, 'image']).file).toBe(
      'apps/backend/udp-demo/overlays/production/kustomization.yaml',
    );
    expect(deployment?.position.file).toBe('apps/backend/udp-demo/base/deployment.yaml');
  });
});

describe.skipIf(!hasKubectl)("the guide's overlays (needs kubectl)", () => {
  it.each(['development', 'production'])('%s has the bytes of kubectl kustomize', (overlay) => {
    const directory = resolve(overlays, overlay);
    const expected = execFileSync('kubectl', ['kustomize', directory], { encoding: 'utf8' });
    expect(formatObjects(renderKustomization(directory, diskFileSystem).objects)).toBe(expected);
  });
});
