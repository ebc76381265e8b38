import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasKubectl, kubectlBinaries, rowsOf, TestCluster } from './test-cluster.ts';

const tree = resolve(import.meta.dirname, '../../../apps/backend/udp-demo/overlays/development');
const applications = resolve(import.meta.dirname, '../../../argocd-bootstrap');

describe.skipIf(!hasKubectl)("the guide's commands (needs kubectl)", () => {
  describe.each(kubectlBinaries)('with $name', ({ path: binary }) => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await new TestCluster().start();
    });
    afterAll(async () => {
      expect(cluster.faults).toEqual([]);
      await cluster.stop();
    });
    const ok = (command: string) => cluster.ok(command, { binary });

    it('apply the tree, twice', { timeout: 60_000 }, async () => {
      await ok('create namespace backend');
      const first = await ok(`apply -k ${tree}`);
      expect(first.trim().split('\n')).toEqual([
        'service/udp-echo-service created',
        'deployment.apps/udp-echo-demo created',
        'ingressrouteudp.traefik.io/udp-echo-route created',
      ]);
      const again = await cluster.kubectl(`apply -k ${tree}`, { binary });
      expect(again.stderr).toBe('');
      expect(again.stdout.trim().split('\n')).toEqual([
        'service/udp-echo-service unchanged',
        'deployment.apps/udp-echo-demo unchanged',
        'ingressrouteudp.traefik.io/udp-echo-route unchanged',
      ]);
      expect(await ok('rollout status -n backend deployment/udp-echo-demo --timeout=30s')).toContain(
        'deployment "udp-echo-demo" successfully rolled out',
      );
    });

    it('show the node, pods, service, route and endpoints', { timeout: 60_000 }, async () => {
      const nodeIp = await cluster.bash(`'${binary}' get nodes -o wide | awk 'NR==2{print $6}'`);
      expect(nodeIp.stdout).toBe('127.0.0.1\n');
      const [pod] = rowsOf(await ok('get pods -n backend -l app=udp-echo'));
      expect(pod?.slice(1, 4)).toEqual(['1/1', 'Running', '0']);
      const [service] = rowsOf(await ok('get svc -n backend udp-echo-service'));
      expect(service?.toSpliced(2, 1).slice(0, 4)).toEqual([
        'udp-echo-service',
        'ClusterIP',
        '<none>',
        '4444/UDP',
      ]);
      const routes = await ok('get ingressrouteudp -n backend');
      expect(routes).toMatch(/^NAME {13}AGE\nudp-echo-route +\d+m?\d*s\n$/);
      expect(await ok('get ingressrouteudp -A')).toMatch(
        /^NAMESPACE {3}NAME {13}AGE\nbackend {5}udp-echo-route +\d+m?\d*s\n$/,
      );
      const [endpoints] = rowsOf(await ok('get endpoints -n backend udp-echo-service'));
      expect(endpoints?.slice(0, 2)).toEqual(['udp-echo-service', '10.244.0.2:4444']);
      expect(rowsOf(await ok('get endpoints -n backend'))).toHaveLength(1);
    });

    it('show Argo CD Applications with the columns that their definition declares', {
      timeout: 60_000,
    }, async () => {
      await ok('create namespace argocd');
      await ok(`apply -R -f ${applications}`);
      expect(await ok('get applications -n argocd traefik-ingress udp-demo')).toBe(
        'NAME              SYNC STATUS   HEALTH STATUS\ntraefik-ingress                 \nudp-demo                        \n',
      );
    });
  });
});
