import { afterEach, describe, expect, it } from 'vitest';
import { base, copyTree, overlay, runUp, type TreeCopy, traefikApplication } from './sluice-up.ts';

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

function newTree(): TreeCopy {
  const tree = copyTree();
  endings.push(() => tree.remove());
  return tree;
}

async function once(tree: TreeCopy, ...args: string[]) {
  const run = runUp(tree.root, { args: ['--once', ...args] });
  endings.push(() => run.child.kill('SIGKILL'));
  const code = await run.exited;
  return { code, output: run.output(), stdout: run.stdout() };
}

describe('sluice up --once', () => {
  it('sends a datagram through every path, prints the table and exits with 0', async () => {
    const { code, output, stdout } = await once(newTree());
    expect(output).toMatch(/√ probe +backend\/udp-echo-route on myudp: \S+:30998 answered in [\d.]+ ms/);
    expect(stdout).toMatch(/^backend\/udp-echo-service +myudp +30998 +UDP +1\/1 /m);
    expect(code).toBe(0);
  });

  it('brings up one overlay when that is named', async () => {
    const tree = newTree();
    const { code, stdout } = await once(tree, 'apps/backend/udp-demo/overlays/production');
    expect(stdout).toMatch(/^backend\/udp-echo-service +produp +30997 +UDP +3\/3 /m);
    expect(code).toBe(0);
  });

  it('exits with 1 and names the hop and the labels when the Service’s selector is misspelt', async () => {
    const tree = newTree();
    tree.edit(`${base}/service.yaml`, 'app: udp-echo', 'app: udp-ecko');
    const { code, output, stdout } = await once(tree);
    expect(output).toMatch(/× path +backend\/udp-echo-route on myudp: broken at endpoints: /);
    expect(output).toContain('its selector app=udp-ecko matches no pod; the pods there carry app=udp-echo');
    expect(stdout).toMatch(/broken: endpoints/);
    expect(code).toBe(1);
  });

  it('exits with 1 and says how to map an image that no program is mapped to', async () => {
    const tree = newTree();
    tree.edit(`${overlay}/kustomization.yaml`, 'iceymoss/udp-echo', 'iceymoss/other');
    const { code, output } = await once(tree);
    expect(output).toMatch(/ImagePullBackOff/);
    expect(output).toMatch(/iceymoss\/other.*sluice\.yaml|sluice\.yaml.*iceymoss\/other/s);
    expect(code).toBe(1);
  });

  it('exits with 1 when a pod dies as soon as it starts', async () => {
    const tree = newTree();
    tree.edit('sluice.yaml', 'node, apps/backend/udp-demo/app/dist/main.js', 'node, -e, "process.exit(3)"');
    const { code, output } = await once(tree);
    expect(output).toMatch(/CrashLoopBackOff|exited with 3/);
    expect(code).toBe(1);
  });

  it('exits with 1 when the pods run and nobody answers', async () => {
    const tree = newTree();
    const silent = "require('node:dgram').createSocket('udp4').bind(4444, process.env.HOST ?? '0.0.0.0')";
    tree.edit(
      'sluice.yaml',
      'node, apps/backend/udp-demo/app/dist/main.js',
      `node, -e, ${JSON.stringify(silent)}`,
    );
    const { code, output } = await once(tree);
    expect(output).toMatch(/× probe +.* did not answer 3 datagrams/);
    expect(code).toBe(1);
  });

  it.each([
    [
      'a directory that does not exist (SL1001)',
      () => {},
      ['nowhere'],
      /error SL1001: no such directory: nowhere/,
    ],
    [
      'YAML that cannot be parsed (SL1002)',
      (tree: TreeCopy) => tree.edit(`${base}/service.yaml`, 'ports:', 'ports: ['),
      [],
      /base\/service\.yaml:\d+:\d+: error SL1002: /,
    ],
    [
      'a kustomization field that is not known (SL1003)',
      (tree: TreeCopy) => tree.edit(`${overlay}/kustomization.yaml`, 'resources:', 'resource:'),
      [],
      /overlays\/development\/kustomization\.yaml:4:1: error SL1003: .*resource/,
    ],
    [
      'a patch file that is missing (SL1001)',
      (tree: TreeCopy) =>
        tree.edit(`${overlay}/kustomization.yaml`, 'patch-resources.yaml', 'patch-resource.yaml'),
      [],
      /overlays\/development\/kustomization\.yaml:\d+:\d+: error SL1001: .*patch-resource\.yaml/,
    ],
    [
      'two node ports that are equal (SL4002)',
      (tree: TreeCopy) => tree.edit(traefikApplication, 'nodePort: 30997', 'nodePort: 30998'),
      [],
      /traefik-app\.yaml:\d+:\d+: error SL4002: node port 30998\/UDP is already given/,
    ],
    [
      'a node port outside the range (SL4003)',
      (tree: TreeCopy) => tree.edit(traefikApplication, 'nodePort: 30998', 'nodePort: 39998'),
      [],
      /traefik-app\.yaml:\d+:\d+: error SL4003: .*39998.*valid ports is 30000-32767/,
    ],
    [
      'a network mode that does not exist (SL4004)',
      () => {},
      ['--network', 'docker'],
      /error SL4004: --network is "docker"; it may be auto, namespaces or loopback/,
    ],
  ] as const)('exits with 2 on %s', async (_, damage, args, expected) => {
    const tree = newTree();
    damage(tree);
    const { code, output } = await once(tree, ...args);
    expect(output).toMatch(expected);
    expect(code).toBe(2);
  });
});
