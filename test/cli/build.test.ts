import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/cli/main.ts';

const tree = resolve(import.meta.dirname, '../../apps/backend/udp-demo');
const overlay = (name: string): string => join(tree, 'overlays', name);
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

/** Runs the command in this process and keeps what it writes. */
async function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      written[stream] += String(chunk);
      return true;
    }),
  );
  const before = process.exitCode;
  try {
    process.exitCode = 0;
    return { code: await main(args), ...written };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}

let copy: string;
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'sluice-build-'));
  cpSync(join(tree, 'base'), join(copy, 'base'), { recursive: true });
  cpSync(join(tree, 'overlays'), join(copy, 'overlays'), { recursive: true });
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

function change(file: string, text: string, changed: string): void {
  const path = join(copy, file);
  writeFileSync(path, readFileSync(path, 'utf8').replace(text, changed));
}

describe('sluice build', () => {
  it('prints the objects and nothing else for a tree without mistakes', async () => {
    const { code, stdout, stderr } = await run('build', overlay('production'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^apiVersion: v1\nkind: Service\n/);
    expect(stdout.split('\n---\n')).toHaveLength(3);
  });

  it('prints several directories as one stream of documents', async () => {
    const { stdout } = await run('build', overlay('production'), overlay('development'));
    expect(stdout.split('\n---\n')).toHaveLength(6);
  });

  it('says on stderr what silently did nothing, and still prints', async () => {
    change('overlays/development/kustomization.yaml', 'name: udp-echo-demo', 'name: other');
    const { code, stdout, stderr } = await run('build', join(copy, 'overlays/development'));
    expect(code).toBe(0);
    expect(stdout).toContain('kind: Deployment');
    expect(stderr).toMatch(/kustomization\.yaml:17:13: warning SL1101: this patch matches no resource/);
  });

  it('exits 1 for a warning with --strict', async () => {
    change('overlays/development/kustomization.yaml', 'name: udp-echo-demo', 'name: other');
    const { code, stdout } = await run('build', '--strict', join(copy, 'overlays/development'));
    expect(code).toBe(1);
    expect(stdout).toContain('kind: Deployment');
    expect((await run('build', '--strict', overlay('production'))).code).toBe(0);
  });

  it('writes diagnostics as JSON with -o json', async () => {
    change('overlays/development/kustomization.yaml', 'resources:', 'resource:');
    const { code, stdout, stderr } = await run('build', '-o', 'json', join(copy, 'overlays/development'));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const [diagnostic] = JSON.parse(stderr) as { code: string; position: { line: number }; hint: string }[];
    expect(diagnostic).toMatchObject({
      code: 'SL1003',
      position: { line: 4 },
      hint: 'Did you mean resources?',
    });
  });

  it('refuses another format of diagnostics', async () => {
    const { code, stderr } = await run('build', '-o', 'jsn', overlay('production'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/Allowed choices are text, json/);
  });

  it('exits 2 for a directory that does not exist', async () => {
    const { code, stderr } = await run('build', join(copy, 'nowhere'));
    expect(code).toBe(2);
    expect(stderr).toContain('SL1001: no such directory');
  });

  it('refuses a link that leads out of the kustomization', async () => {
    symlinkSync(join(copy, 'base/service.yaml'), join(copy, 'overlays/development/link.yaml'));
    change('overlays/development/kustomization.yaml', '- ../../base', '- ../../base\n  - link.yaml');
    const { code, stderr } = await run('build', join(copy, 'overlays/development'));
    expect(code).toBe(2);
    expect(stderr).toContain('SL1006: link.yaml is outside');
  });

  it.skipIf(!hasKubectl)('has the bytes of kubectl kustomize (needs kubectl)', async () => {
    const { stdout } = await run('build', overlay('development'));
    expect(stdout).toBe(execFileSync('kubectl', ['kustomize', overlay('development')], { encoding: 'utf8' }));
  });
});

describe('sluice build --explain', () => {
  const explain = async (question: string, overlayName = 'production'): Promise<string[]> => {
    const directory = join(copy, 'overlays', overlayName);
    const { stdout, stderr } = await run('build', directory, '--explain', question);
    return (stdout + stderr)
      .replaceAll(/\S*\/(?=base|overlays)/g, '')
      .trimEnd()
      .split('\n');
  };

  it('tells every place that set a field, the last one last', async () => {
    expect(await explain('deployment/udp-echo-demo:spec.replicas')).toEqual([
      'Deployment backend/udp-echo-demo spec.replicas = 3',
      '  base/deployment.yaml:10:13  resources  10',
      '  overlays/production/patch-resources.yaml:8:13  patches  3',
    ]);
  });

  it('finds list items by a field', async () => {
    expect(
      await explain('Deployment/udp-echo-demo:spec.template.spec.containers.[name=proxy].image'),
    ).toEqual([
      'Deployment backend/udp-echo-demo spec.template.spec.containers.[name=proxy].image = iceymoss/udp-echo:1.0.0',
      '  base/deployment.yaml:23:18  resources  udp-echo-server',
      '  overlays/production/kustomization.yaml:26:5  images  iceymoss/udp-echo:1.0.0',
    ]);
  });

  it('knows what a transformer added', async () => {
    expect(await explain('service/udp-echo-service:metadata.labels.environment')).toEqual([
      'Service backend/udp-echo-service metadata.labels.environment = production',
      '  overlays/production/kustomization.yaml:10:20  labels  production',
    ]);
  });

  it('takes the dots in the name of an annotation for what they are', async () => {
    const path = 'metadata.annotations.traefik.ingress.kubernetes.io/router.entrypoints';
    const [value, ...settings] = await explain(`ingressrouteudp/udp-echo-route:${path}`, 'development');
    expect(value).toBe(`IngressRouteUDP backend/udp-echo-route ${path} = myudp`);
    expect(settings.join()).toMatch(
      /overlays\/development\/ingress-traefik-patch\.yaml:8:\d+ {2}patches {2}myudp$/,
    );
  });

  it('SL1018 names the nearest field or the objects there are', async () => {
    expect((await explain('deployment/udp-echo-demo:spec.replica')).join('\n')).toContain(
      'Did you mean spec.replicas?',
    );
    expect((await explain('deployment/other:spec')).join('\n')).toContain('deployment/udp-echo-demo');
  });
});
