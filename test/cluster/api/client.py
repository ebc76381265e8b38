# Drives the API through the Python client and prints what it saw. Argument: a kubeconfig.
import json
import sys

from kubernetes import client, config, watch

config.load_kube_config(sys.argv[1])
core, apps = client.CoreV1Api(), client.AppsV1Api()
namespace, name = 'default', 'from-python'
seen = []
core.create_namespaced_config_map(namespace, {'metadata': {'name': name}, 'data': {'a': '1'}})
patched = core.patch_namespaced_config_map(name, namespace, {'data': {'b': '2'}})
for event in watch.Watch().stream(core.list_namespaced_config_map, namespace, timeout_seconds=5):
    if event['object'].metadata.name != name:
        continue
    seen.append(event['type'])
    if event['type'] == 'DELETED':
        break
    core.delete_namespaced_config_map(name, namespace)
labels = {'app': name}
template = {'metadata': {'labels': labels}, 'spec': {'containers': [{'name': 'main', 'image': 'any'}]}}
created = apps.create_namespaced_deployment(
    namespace, {'metadata': {'name': name}, 'spec': {'selector': {'matchLabels': labels}, 'template': template}}
)
apps.patch_namespaced_deployment_scale(name, namespace, {'spec': {'replicas': 2}})
replicas = apps.read_namespaced_deployment(name, namespace).spec.replicas
apps.delete_namespaced_deployment(name, namespace)
try:
    core.read_namespaced_pod('missing', namespace)
    missing = None
except client.exceptions.ApiException as error:
    missing = error.status
print(json.dumps({'seen': seen, 'data': patched.data, 'defaulted': created.spec.replicas, 'replicas': replicas, 'missing': missing}))
