/** Where `$(NAME)` of a var is replaced. Source: varreference.go in api/internal/konfig/builtinpluginconsts of kustomize 5.5. */

import type { FieldSpec } from '../transform/field-path.ts';

const containerFields = ['args', 'command', 'env/value', 'volumeMounts/mountPath'];

function podFields(kind: string, pod: string, nfs: string): FieldSpec[] {
  const containers = ['containers', 'initContainers'].flatMap((list) =>
    containerFields.map((field) => ({ path: `${pod}/${list}/${field}`, kind })),
  );
  return [...containers, { path: nfs, kind }];
}

const template = 'spec/template/spec';

export const varReferenceSpecs: readonly FieldSpec[] = [
  ...podFields(
    'CronJob',
    'spec/jobTemplate/spec/template/spec',
    'spec/jobTemplate/spec/template/volumes/nfs/server',
  ),
  ...['DaemonSet', 'Deployment', 'Job', 'ReplicaSet'].flatMap((kind) =>
    podFields(kind, template, `${template}/volumes/nfs/server`),
  ),
  { path: 'spec/template/metadata/annotations', kind: 'Deployment' },
  { path: 'spec/rules/host', kind: 'Ingress' },
  { path: 'spec/tls/hosts', kind: 'Ingress' },
  { path: 'spec/tls/secretName', kind: 'Ingress' },
  ...podFields('Pod', 'spec', 'spec/volumes/nfs/server'),
  { path: 'spec/ports/port', kind: 'Service' },
  { path: 'spec/ports/targetPort', kind: 'Service' },
  ...podFields('StatefulSet', template, 'spec/volumeClaimTemplates/spec/nfs/server'),
  { path: 'spec/nfs/server', kind: 'PersistentVolume' },
  { path: 'metadata/labels' },
  { path: 'metadata/annotations' },
];
