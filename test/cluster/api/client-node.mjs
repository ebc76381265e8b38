// Drives the API through @kubernetes/client-node and prints what it saw. Arguments: the library's folder, a kubeconfig.
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';

const [, , library, kubeconfig] = process.argv;
const k8s = await import(pathToFileURL(`${library}/dist/index.js`).href);
const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const [core, apps] = [config.makeApiClient(k8s.CoreV1Api), config.makeApiClient(k8s.AppsV1Api)];
const namespace = 'default';
const name = 'from-node';

const seen = [];
const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
  core.listNamespacedConfigMap({ namespace }),
);
const until = (isThere) =>
  new Promise((resolve) => {
    const check = () => isThere() && resolve();
    for (const event of ['add', 'update', 'delete']) informer.on(event, check);
    check();
  });
for (const event of ['add', 'update', 'delete'])
  informer.on(event, ({ metadata }) => seen.push(`${event} ${metadata.name}`));
await informer.start();

const as = (strategy) => k8s.setHeaderOptions('Content-Type', strategy);
await core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data: { a: '1' } } });
const object = await core.readNamespacedConfigMap({ namespace, name });
object.data.b = '2';
await core.replaceNamespacedConfigMap({ namespace, name, body: object });
const operations = [{ op: 'add', path: '/data/c', value: '3' }];
await core.patchNamespacedConfigMap({ namespace, name, body: operations }, as(k8s.PatchStrategy.JsonPatch));
const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { d: '4' } };
const apply = { namespace, name, body: applied, fieldManager: 'test', force: true };
await core.patchNamespacedConfigMap(apply, as(k8s.PatchStrategy.ServerSideApply));
const { data } = await core.readNamespacedConfigMap({ namespace, name });
await core.deleteNamespacedConfigMap({ namespace, name });
await until(() => seen.includes(`delete ${name}`));
await informer.stop();

const labels = { app: name };
const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'any' }] } };
const spec = { replicas: 1, selector: { matchLabels: labels }, template };
await apps.createNamespacedDeployment({ namespace, body: { metadata: { name }, spec } });
let pods = [];
while (pods[0]?.status.phase !== 'Running') {
  pods = (await core.listNamespacedPod({ namespace, labelSelector: `app=${name}` })).items;
}
const pod = pods[0].metadata.name;
const log = await core.readNamespacedPodLog({ namespace, name: pod });
const output = new PassThrough();
const words = output.toArray();
const status = await new Promise((resolve) => {
  const command = ['echo', 'hello'];
  void new k8s.Exec(config).exec(
    namespace,
    pod,
    'main',
    command,
    output,
    null,
    null,
    false,
    ({ status: ended }) => resolve(ended),
  );
});
output.end();
const missing = await core.readNamespacedPod({ namespace, name: 'missing' }).catch(({ code }) => code);
process.stdout.write(
  JSON.stringify({
    seen,
    data,
    log: log.split('\n')[0].replace(pod, 'POD'),
    status,
    output: Buffer.concat(await words).toString(),
    missing,
  }),
);
process.exit();
