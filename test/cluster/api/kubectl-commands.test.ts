import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasKubectl, kubectlBinaries, rowsOf, TestCluster } from './test-cluster.ts';

const timeout = 120_000;

const deployment = (replicas: number, more = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: 'nginx:1', ports: [{containerPort: 80}]}
${more}`;

const side = "      - {name: side, image: 'busybox:1'}\n";

describe.skipIf(!hasKubectl)('kubectl (needs kubectl)', () => {
  describe.each(kubectlBinaries)('as $name', ({ path: binary }) => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await new TestCluster().start();
    });
    afterAll(async () => {
      expect(cluster.faults).toEqual([]);
      await cluster.stop();
    });
    const ok = (command: string, input = '') => cluster.ok(command, { binary, input });
    const refusal = (command: string, input = '') => cluster.refusal(command, { binary, input });

    it('creates one of each', { timeout }, async () => {
      await ok('create namespace made');
      const made = [
        ['configmap settings --from-literal=a=b', 'configmap/settings'],
        ['secret generic key --from-literal=p=q', 'secret/key'],
        ['deployment d --image=nginx --replicas=2 --port=80', 'deployment.apps/d'],
        ['service clusterip s --tcp=80:8080', 'service/s'],
        ['service nodeport n --tcp=80:8080 --node-port=30123', 'service/n'],
        ['serviceaccount robot', 'serviceaccount/robot'],
        ['role reader --verb=get,list --resource=pods', 'role.rbac.authorization.k8s.io/reader'],
        [
          'rolebinding readers --role=reader --serviceaccount=made:robot',
          'rolebinding.rbac.authorization.k8s.io/readers',
        ],
        ['ingress site --rule=a.example/b=s:80', 'ingress.networking.k8s.io/site'],
        ['quota q --hard=pods=9', 'resourcequota/q'],
        ['job once --image=busybox', 'job.batch/once'],
      ] as const;
      for (const [command, name] of made) {
        expect(await ok(`create ${command} -n made`)).toBe(`${name} created\n`);
      }
      expect(await ok('get cm settings -n made -o jsonpath={.data.a}')).toBe('b');
      expect(await ok('get secret key -n made -o jsonpath={.data.p}')).toBe('cQ==');
      expect(
        await ok(
          'get deploy d -n made -o jsonpath={.spec.replicas}{.spec.template.spec.containers[0].ports[0]}',
        ),
      ).toBe('2{"containerPort":80,"protocol":"TCP"}');
      expect(await ok('get svc n -n made -o jsonpath={.spec.ports[0]}')).toBe(
        '{"name":"80-8080","nodePort":30123,"port":80,"protocol":"TCP","targetPort":8080}',
      );
      expect(await ok('get rolebinding readers -n made -o wide --no-headers')).toMatch(
        /^readers +Role\/reader +\d+s +made\/robot\n$/,
      );
      expect(await refusal('create configmap settings -n made')).toBe(
        'error: failed to create configmap: configmaps "settings" already exists',
      );
      expect(await refusal('create configmap x -n nowhere')).toBe(
        'error: failed to create configmap: namespaces "nowhere" not found',
      );
      await ok('delete namespace made');
      expect(await refusal('get ns made')).toBe('Error from server (NotFound): namespaces "made" not found');
    });

    it('applies, diffs, prunes and deletes', { timeout }, async () => {
      const two = cluster.file('two.yaml', deployment(2, side));
      const three = cluster.file('three.yaml', deployment(3));
      expect(await ok(`apply -f ${two}`)).toBe('deployment.apps/web created\n');
      const diff = await cluster.kubectl(`diff -f ${three}`, { binary });
      expect(diff.code).toBe(1);
      expect(diff.stdout).toContain('-  replicas: 2\n+  replicas: 3\n');
      expect(diff.stdout).toMatch(/-\s+name: side/);
      expect(await ok(`apply -f ${three} --dry-run=server`)).toBe(
        'deployment.apps/web configured (server dry run)\n',
      );
      expect(await ok('get deploy web -o jsonpath={.spec.replicas}')).toBe('2');
      expect(await ok(`apply -f ${three}`)).toBe('deployment.apps/web configured\n');
      expect(await ok(`apply -f ${three}`)).toBe('deployment.apps/web unchanged\n');
      expect(await ok('get deploy web -o jsonpath={.spec.template.spec.containers[*].name}')).toBe('web');
      expect((await cluster.kubectl(`diff -f ${three}`, { binary })).code).toBe(0);
      const old = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"old","labels":{"app":"web"}}}';
      await ok('apply -f -', old);
      expect(await ok(`apply -f ${three} --prune -l app=web`)).toBe(
        'deployment.apps/web unchanged\nconfigmap/old pruned\n',
      );
      await ok('rollout status deploy/web --timeout=30s');
      expect(await ok('delete deploy web --cascade=orphan')).toContain('deployment.apps "web" deleted');
      const orphans = rowsOf(await ok('get rs -l app=web')).map((row) => row.slice(1, 4));
      expect(orphans).toContainEqual(['3', '3', '3']);
      await ok('delete rs --all --cascade=foreground');
      expect(await ok('get pods -l app=web -o name')).toBe('');
    });

    it('applies on the server, with conflicts and ownership', { timeout }, async () => {
      const two = cluster.file('two.yaml', deployment(2, side));
      const three = cluster.file('three.yaml', deployment(3));
      expect(await ok(`apply --server-side -f ${two}`)).toBe('deployment.apps/web serverside-applied\n');
      await ok('scale deploy web --replicas=5');
      expect(await refusal(`apply --server-side -f ${two}`)).toContain(
        'error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas\n',
      );
      await ok(`apply --server-side --force-conflicts -f ${two}`);
      expect(await ok('get deploy web -o jsonpath={.spec.replicas}')).toBe('2');
      await ok(`apply --server-side -f ${three}`);
      expect(
        await ok('get deploy web -o jsonpath={.spec.replicas}{.spec.template.spec.containers[*].name}'),
      ).toBe('3web');
      expect(await refusal(`apply --server-side --field-manager=other -f ${two}`)).toContain(
        'Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas\n',
      );
      await ok('delete deploy web');
    });

    it('takes over on the server what it applied as a client', { timeout }, async () => {
      const two = cluster.file('two.yaml', deployment(2, side));
      const three = cluster.file('three.yaml', deployment(3));
      await ok(`apply -f ${two}`);
      await ok(`apply --server-side -f ${three}`);
      expect(
        await ok('get deploy web -o jsonpath={.spec.replicas}{.spec.template.spec.containers[*].name}'),
      ).toBe('3web');
      const managers = await ok(
        'get deploy web --show-managed-fields -o jsonpath={.metadata.managedFields[*].operation}',
      );
      // kubectl itself, and kubectl-last-applied for the annotation.
      expect(managers).toBe('Apply Apply');
      await ok('delete deploy web');
    });

    it('rolls out, shows history, undoes and restarts', { timeout }, async () => {
      await ok('create deployment roll --image=nginx:1 --replicas=2');
      await ok('rollout status deploy/roll --timeout=30s');
      expect(await ok('set image deploy/roll nginx=nginx:2')).toBe('deployment.apps/roll image updated\n');
      expect(await ok('rollout status deploy/roll --timeout=30s')).toContain('successfully rolled out');
      expect(await ok('rollout history deploy/roll')).toMatch(
        /REVISION {2}CHANGE-CAUSE\n1 +<none>\n2 +<none>/,
      );
      expect(await ok('rollout undo deploy/roll')).toBe('deployment.apps/roll rolled back\n');
      await ok('rollout status deploy/roll --timeout=30s');
      expect(await ok('get deploy roll -o wide --no-headers')).toMatch(
        /^roll +2\/2 +2 +2 +\d+s +nginx +nginx:1 +app=roll\n$/,
      );
      expect(await ok('rollout restart deploy/roll')).toBe('deployment.apps/roll restarted\n');
      await ok('rollout status deploy/roll --timeout=30s');
      expect(await ok('wait --for=condition=Available deploy/roll --timeout=30s')).toBe(
        'deployment.apps/roll condition met\n',
      );
      expect(await ok('wait --for=jsonpath={.status.readyReplicas}=2 deploy/roll --timeout=30s')).toContain(
        'condition met',
      );
      expect(await ok('describe deploy roll')).toContain(
        '2 desired | 2 updated | 2 total | 2 available | 0 unavailable',
      );
      expect(await ok('events --for deployment/roll')).toContain('ScalingReplicaSet');
      await ok('delete deploy roll');
    });

    it('patches in three ways, labels, annotates, edits and replaces', { timeout }, async () => {
      await ok('create deployment change --image=nginx:1');
      await ok(`patch deploy change --type=json -p '[{"op":"replace","path":"/spec/replicas","value":0}]'`);
      await ok(`patch deploy change --type=merge -p '{"metadata":{"annotations":{"a":"b"}}}'`);
      await ok(
        `patch deploy change -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"x"}]}}}}'`,
      );
      expect(
        await ok(
          'get deploy change -o jsonpath={.spec.replicas}{.metadata.annotations.a}{.spec.template.spec.containers[*].name}',
        ),
      ).toBe('0bside nginx');
      expect(await ok('label deploy change tier=front')).toBe('deployment.apps/change labeled\n');
      expect(await ok('annotate deploy change a-')).toBe('deployment.apps/change annotated\n');
      expect(await ok('get deploy -l tier=front --show-labels --no-headers')).toContain(
        'app=change,tier=front',
      );
      const edited = await cluster.bash(`EDITOR='sed -i s/nginx:1/nginx:7/' '${binary}' edit deploy change`);
      expect(edited.stdout).toBe('deployment.apps/change edited\n');
      const text = await ok('get deploy change -o json');
      expect(text).toContain('"image": "nginx:7"');
      expect(await ok('replace -f -', text.replace('nginx:7', 'nginx:8'))).toBe(
        'deployment.apps/change replaced\n',
      );
      expect(await refusal('replace -f -', text)).toContain(
        'Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on deployments.apps "change": the object has been modified; please apply your changes to the latest version and try again',
      );
      expect(
        await refusal(`patch deploy change --type=json -p '[{"op":"remove","path":"/spec/nope"}]'`),
      ).toBe('The request is invalid: the server rejected our request due to an error in our request');
      expect(await refusal(`patch deploy change -p '{"spec":{"replicas":"x"}}'`)).toContain(
        'cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
      );
      await ok('delete deploy change');
    });

    it('lists in every form', { timeout }, async () => {
      await ok('create deployment list --image=nginx --replicas=3');
      await ok('rollout status deploy/list --timeout=30s');
      const names = (await ok('get pods -l app=list -o name')).trim().split('\n');
      expect(names).toHaveLength(3);
      expect((await ok('get pods -l app=list -o jsonpath={.items[*].status.phase}')).trim()).toBe(
        'Running Running Running',
      );
      expect(await ok('get pods -l app=list -o custom-columns=N:.status.phase --no-headers')).toBe(
        'Running\n'.repeat(3),
      );
      const sorted = rowsOf(await ok('get pods -l app=list --sort-by=.metadata.name')).map(
        ([name = '']) => name,
      );
      expect(sorted).toEqual(sorted.toSorted((left, right) => (left < right ? -1 : 1)));
      expect(
        rowsOf(
          await ok('get pods -A --field-selector=spec.nodeName=sluice,status.phase=Running -l app=list'),
        ),
      ).toHaveLength(3);
      expect(rowsOf(await ok("get pods -l 'app in (list, other),!nothing' -o wide"))[0]?.slice(5)).toEqual([
        expect.stringMatching(/^10\.244\.0\.\d+$/),
        'sluice',
        '<none>',
        '<none>',
      ]);
      expect(await refusal('get pods --field-selector=spec.bogus=1')).toContain(
        'field label not supported: spec.bogus',
      );
      expect(await ok('get all -l app=list -o name')).toMatch(
        /^pod\/.*\ndeployment\.apps\/list\nreplicaset\.apps\/list-\S+\n$/s,
      );
      expect(rowsOf(await ok('get pods -A --chunk-size=2 -l app=list'))).toHaveLength(3);
      expect(await ok('describe node sluice')).toContain('Non-terminated Pods:');
      await ok('delete deploy list');
    });

    it('watches', { timeout }, async () => {
      const watch = cluster.lines('get configmaps -l w=1 -w --no-headers', 2, { binary });
      await ok('create configmap first');
      await ok('label configmap first w=1');
      await ok('create configmap second --from-literal=a=b');
      await ok('label configmap second w=1');
      const [first, second] = await watch;
      expect(first).toMatch(/^first +0 +\d+s$/);
      expect(second).toMatch(/^second +1 +\d+s$/);
      await ok('delete configmap first second');
    });

    it('explains, lists resources and answers about access', { timeout }, async () => {
      expect(await ok('explain deployment.spec.strategy.rollingUpdate.maxSurge')).toMatch(
        /GROUP: {6}apps\nKIND: {7}Deployment\nVERSION: {4}v1\n\nFIELD: maxSurge <IntOrString>/,
      );
      expect(await ok('explain pod.spec.containers')).toContain(
        'readinessProbe\t<Probe>\n    A check whose failure takes the pod out of its Services.',
      );
      expect(await ok('explain ingressrouteudp.spec.routes.services')).toMatch(/name\t<string> -required-/);
      const resources = await ok('api-resources --no-headers');
      expect(resources).toMatch(/^deployments +deploy +apps\/v1 +true +Deployment$/m);
      expect(resources).toMatch(/^ingressrouteudps +traefik\.io\/v1alpha1 +true +IngressRouteUDP$/m);
      expect(await ok('api-versions')).toContain('traefik.io/v1alpha1\nv1\n');
      expect(await ok('auth can-i delete nodes')).toBe('yes\n');
      expect(await ok('auth whoami')).toMatch(/Username +sluice:admin/);
      expect(await ok('auth can-i --list')).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
      expect(await ok('version')).toContain('Server Version: v1.32.0+sluice');
      expect(await refusal('top pods')).toContain('Metrics API not available');
      expect(await refusal('get bogus')).toBe('error: the server doesn\'t have a resource type "bogus"');
    });

    it('refuses unknown fields and wrong types as the real server does', { timeout }, async () => {
      const typo = deployment(1).replace('image:', 'imag:');
      expect(await refusal('create -f -', typo)).toBe(
        'Error from server (BadRequest): error when creating "STDIN": Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.template.spec.containers[0].imag"',
      );
      const warned = await cluster.kubectl('create --validate=warn --dry-run=server -f -', {
        binary,
        input: deployment(1)
          .replace('name: web,', 'name: warned,')
          .replace('replicas:', 'bogus: 1, replicas:')
          .replace('spec:\n  bogus: 1, ', 'spec:\n  bogus: 1\n  '),
      });
      expect(warned.stderr).toContain('Warning: unknown field "spec.bogus"');
      const route = (port: unknown, more = {}) =>
        JSON.stringify({
          apiVersion: 'traefik.io/v1alpha1',
          kind: 'IngressRouteUDP',
          metadata: { name: 'r' },
          spec: { routes: [{ services: [{ name: 's', port }], ...more }] },
        });
      expect(await refusal('create -f -', route(1, { match: 'x' }))).toContain(
        'IngressRouteUDP in version "v1alpha1" cannot be handled as a IngressRouteUDP: strict decoding error: unknown field "spec.routes[0].match"',
      );
      expect(await refusal('create -f -', route(true))).toContain(
        'The IngressRouteUDP "r" is invalid: spec.routes[0].services[0].port: Invalid value: "boolean": spec.routes[0].services[0].port in body must be of type integer,string: "boolean"',
      );
      expect(await refusal('create -f -', route(undefined))).toContain(
        'The IngressRouteUDP "r" is invalid: spec.routes[0].services[0].port: Required value',
      );
    });

    it('applies on the server what generators leave empty, and asks for what has to be there', {
      timeout,
    }, async () => {
      const generated = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: generated, creationTimestamp: null}
spec:
  selector: {matchLabels: {app: generated}}
  strategy: {}
  template:
    metadata: {labels: {app: generated}, creationTimestamp: null}
    spec: {containers: [{name: main, image: 'nginx:1', resources: {limits: {cpu: 1}}, args: null}]}
status: {}
`;
      for (const outcome of ['created', 'again']) {
        expect(await ok('apply --server-side -f -', generated), outcome).toBe(
          'deployment.apps/generated serverside-applied\n',
        );
      }
      const live = JSON.parse(await ok('get deploy generated -o json')) as {
        metadata: { creationTimestamp: unknown; generation: number };
        spec: { template: { spec: { containers: object[] } } };
      };
      expect(live.metadata).toMatchObject({ creationTimestamp: expect.any(String), generation: 1 });
      expect(live.spec.template.spec.containers[0]).toMatchObject({ resources: { limits: { cpu: '1' } } });
      expect(live.spec.template.spec.containers[0]).not.toHaveProperty('args');
      await ok('delete deploy generated');
      const binding =
        '{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"b"}}';
      expect(await refusal('create -f -', binding)).toContain(
        'The RoleBinding "b" is invalid: roleRef: Required value',
      );
    });

    it('serves what a CustomResourceDefinition defines, for as long as it is there', {
      timeout,
    }, async () => {
      const crd = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, shortNames: [gd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.size}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Mode, type: string, jsonPath: .spec.mode}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, minimum: 0, maximum: 9}
              mode: {type: string, default: quiet, enum: [quiet, loud]}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`;
      await ok('apply -f -', crd);
      expect(await ok('wait --for=condition=Established crd/gadgets.example.com --timeout=30s')).toContain(
        'condition met',
      );
      const gadget = (size: number) =>
        `{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"g"},"spec":{"size":${size}}}`;
      expect(await ok('apply -f -', gadget(3))).toBe('gadget.example.com/g created\n');
      expect(await ok('get gd')).toBe('NAME   SIZE   MODE\ng      3      quiet\n');
      expect(await ok('scale gadget g --replicas=5')).toBe('gadget.example.com/g scaled\n');
      expect(await refusal('apply -f -', gadget(12))).toContain(
        'The Gadget "g" is invalid: spec.size: Invalid value: 12: spec.size in body should be less than or equal to 9',
      );
      expect(
        await ok(
          `patch gadget g --subresource=status --type=merge -p '{"status":{"size":5},"spec":{"size":1}}'`,
        ),
      ).toContain('patched');
      expect(await ok('get gadget g -o jsonpath={.spec.size}{.status.size}')).toBe('55');
      expect(await refusal(`patch gadget g --type=strategic -p '{"spec":{"size":1}}'`)).toContain(
        'error: application/strategic-merge-patch+json is not supported by example.com/v1, Kind=Gadget',
      );
      await ok('delete crd gadgets.example.com');
      expect((await cluster.kubectl('get gadgets.example.com', { binary })).code).toBe(1);
    });
  });
});
