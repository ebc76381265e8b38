/** Every command of the guide's sections 7.2, 7.3 and appendix B, as it is written there, against `sluice up`. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from '../support/programs.ts';
import { copyTree, type Run, runUp, stopRun, type TreeCopy } from './sluice-up.ts';

const missing = ['kubectl', 'nc', 'socat', 'awk'].filter((name) => !hasProgram(name));

interface Shell {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(missing.length > 0)(`the guide’s commands (need kubectl, nc, socat, awk)`, () => {
  let tree: TreeCopy;
  let run: Run;

  beforeAll(async () => {
    tree = copyTree();
    run = runUp(tree.root);
    await run.line(/ready in \d+ ms/);
  }, 60_000);

  afterAll(async () => {
    await stopRun(run);
    tree.remove();
  });

  /** Ends with the command, or as soon as `until` has been printed. */
  async function bash(script: string, options: { stdin?: string; until?: RegExp } = {}): Promise<Shell> {
    const child = spawn('bash', ['-c', script], {
      env: { ...process.env, KUBECONFIG: join(tree.root, '.sluice/kubeconfig'), HOME: tree.root },
      detached: true,
    });
    let [stdout, stderr] = ['', ''];
    const end = () => process.kill(-(child.pid ?? 0), 'SIGKILL');
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (options.until?.test(stdout)) end();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    if (options.stdin !== undefined) child.stdin.write(options.stdin);
    if (!options.until) child.stdin.end();
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  const nodeIp = `export NODE_IP=$(kubectl get nodes -o wide | awk 'NR==2{print $6}')`;

  it('7.2.1: the node’s address is the one that the node ports listen on', async () => {
    const { stdout } = await bash(`${nodeIp}\necho "Node IP: $NODE_IP"`);
    expect(stdout).toBe(`Node IP: ${run.address}\n`);
  });

  it('7.2.2: nc echoes what is typed', async () => {
    const until = /hello udp\n/;
    const { stdout } = await bash(`${nodeIp}\nnc -v -u $NODE_IP 30998`, { stdin: 'hello udp\n', until });
    expect(stdout).toMatch(until);
  });

  it('7.2.2: socat echoes', async () => {
    const { code, stdout } = await bash(`${nodeIp}\necho "hello udp" | socat - UDP:$NODE_IP:30998`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello udp\n' });
  });

  it('7.2.3: the pods are Running', async () => {
    const { stdout } = await bash('kubectl get pods -n backend -l app=udp-echo');
    const [head, row, ...more] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE$/);
    expect(row).toMatch(/^udp-echo-demo-\w+-\w+ +1\/1 +Running +0 +\d+s$/);
    expect(more).toEqual([]);
  });

  it('7.2.3: the Service has the UDP port', async () => {
    const { stdout } = await bash('kubectl get svc -n backend udp-echo-service');
    expect(stdout).toMatch(/^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\n/);
    expect(stdout).toMatch(/^udp-echo-service +ClusterIP +10\.\d+\.\d+\.\d+ +<none> +4444\/UDP +\d+s$/m);
  });

  it.each(['kubectl get ingressrouteudp -n backend', 'kubectl get ingressrouteudp -A'])(
    '7.2.3 and B: %s',
    async (command) => {
      expect((await bash(command)).stdout).toMatch(/(?:^|backend +)udp-echo-route +\d+s$/m);
    },
  );

  it.each(['kubectl get endpoints -n backend udp-echo-service', 'kubectl get endpoints -n backend'])(
    '7.2.3 and B: %s',
    async (command) => {
      expect((await bash(command)).stdout).toMatch(/^udp-echo-service +10\.244\.\d+\.\d+:4444 +\d+s$/m);
    },
  );

  it('7.2.3 and B: the pods’ logs, followed', async () => {
    const until = /Received \d+ bytes from [\d.]+:\d+: followed/;
    const logs = bash('kubectl logs -n backend -l app=udp-echo -f', { until });
    await bash(`echo followed | socat - UDP:${run.address}:30998`);
    expect((await logs).stdout).toMatch(until);
  });

  it('B: the ingress’ log names its entry points', async () => {
    const { stdout } = await bash(
      'kubectl logs -n traefik -l app.kubernetes.io/name=traefik | grep entrypoint',
    );
    expect(stdout).toMatch(/entrypoint .*myudp.*:9998/);
  });

  it('B: the forms with placeholders', async () => {
    const port = 30998;
    const echoed = await bash(`echo "test" | socat - UDP:${run.address}:${port}`);
    expect(echoed.stdout).toBe('test\n');
    const typed = await bash(`nc -v -u ${run.address} ${port}`, { stdin: 'test\n', until: /test\n/ });
    expect(typed.stdout).toMatch(/test\n/);
  });

  it('7.3: the checklist, ticked', async () => {
    const tick = async (command: string) => (await bash(command)).stdout.trim();
    const traefik = 'kubectl get svc -n traefik traefik -o';
    expect(
      await tick(
        `kubectl get deploy -n traefik traefik -o jsonpath='{.spec.template.spec.containers[0].args}'`,
      ),
    ).toContain('--entrypoints.myudp.address=:9998/udp');
    expect(await tick(`${traefik} jsonpath='{.spec.ports[?(@.name=="myudp")].nodePort}'`)).toBe('30998');
    expect(
      await tick(`kubectl get pods -n backend -l app=udp-echo -o jsonpath='{.items[0].status.phase}'`),
    ).toBe('Running');
    expect(
      await tick(`kubectl get svc -n backend udp-echo-service -o jsonpath='{.spec.ports[0].protocol}'`),
    ).toBe('UDP');
    expect(
      await tick(
        `kubectl get endpointslices -n backend -l kubernetes.io/service-name=udp-echo-service -o jsonpath='{.items[0].endpoints[0].conditions.ready}'`,
      ),
    ).toBe('true');
    expect(
      await tick(
        `kubectl get ingressrouteudp -n backend udp-echo-route -o jsonpath='{.spec.entryPoints[0]}'`,
      ),
    ).toBe('myudp');
    const before = await tick('kubectl logs -n backend -l app=udp-echo --tail=-1 | grep -c "Received"');
    expect(await tick(`echo counted | socat - UDP:${run.address}:30998`)).toBe('counted');
    const after = await tick('kubectl logs -n backend -l app=udp-echo --tail=-1 | grep -c "Received"');
    expect(Number(after)).toBe(Number(before) + 1);
  });
});
