/** Generated trees to render: Deployment, Service and IngressRouteUDP in turn, under an overlay. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TreeOptions {
  readonly resources: number;
  /** One file each, or one big file. */
  readonly files: 'each' | 'one';
  /** Strategic merge patches with a target, each for one kind. */
  readonly patches: number;
  readonly withNames: boolean;
}

/** Writes the tree below the directory and returns the overlay's directory. */
export function writeTree(directory: string, options: TreeOptions): string {
  const base = join(directory, 'base');
  const overlay = join(directory, 'overlay');
  mkdirSync(base, { recursive: true });
  mkdirSync(overlay, { recursive: true });
  const objects = Array.from({ length: options.resources }, (_, index) => object(index));
  const files =
    options.files === 'one'
      ? new Map([['all.yaml', objects.join('---\n')]])
      : new Map(objects.map((text, index) => [`object-${index}.yaml`, text]));
  for (const [name, text] of files) writeFileSync(join(base, name), text);
  writeFileSync(
    join(base, 'kustomization.yaml'),
    `resources:\n${[...files.keys()].map((name) => `- ${name}\n`).join('')}`,
  );
  writeFileSync(join(overlay, 'kustomization.yaml'), kustomization(options));
  return overlay;
}

function object(index: number): string {
  const name = `app-${Math.floor(index / 3)}`;
  const makers = [deployment, service, route] as const;
  return (makers[index % 3] ?? deployment)(name);
}

const deployment = (name: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app: ${name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: proxy
          image: udp-echo-server
          ports:
            - containerPort: 4444
              protocol: UDP
          resources:
            limits:
              cpu: 100m
              memory: "128Mi"
`;

const service = (name: string): string => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  ports:
    - name: udp
      port: 4444
      targetPort: 4444
      protocol: UDP
  selector:
    app: ${name}
`;

const route = (name: string): string => `apiVersion: traefik.io/v1alpha1
kind: IngressRouteUDP
metadata:
  name: ${name}
spec:
  entryPoints:
    - myudp
  routes:
    - services:
        - name: ${name}
          port: 4444
`;

function kustomization({ patches, withNames }: TreeOptions): string {
  const names = withNames ? 'namespace: backend\nnamePrefix: dev-\n' : '';
  const entries = Array.from({ length: patches }, (_, index) => patch(index)).join('');
  return `resources:
- ../base
labels:
- pairs:
    environment: development
images:
- name: udp-echo-server
  newTag: "1.0"
${names}${entries && `patches:\n${entries}`}`;
}

const patch = (index: number): string => `- target:
    kind: Deployment
  patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: any
      annotations:
        patch-${index}: "yes"
    spec:
      template:
        spec:
          containers:
          - name: proxy
            resources:
              requests:
                cpu: ${index + 1}m
`;
