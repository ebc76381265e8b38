/**
 * Renders and routes a sample with the bundled command line and keeps the bytecode of the functions that were needed for it beside the
 * bundle, for bin/load.js.
 */

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytecodeFile, load, scripts } from '../bin/load.js';

/** One of everything that a tree commonly has. */
const sample = {
  'kustomization.yaml': `resources:
- objects.yaml
- service.yaml
namespace: backend
namePrefix: dev-
labels:
- pairs:
    environment: development
  includeSelectors: true
commonAnnotations:
  note: "1"
images:
- name: echo
  newTag: "1.0"
replicas:
- name: echo
  count: 2
configMapGenerator:
- name: settings
  literals:
  - a=b
patches:
- path: patch.yaml
- target:
    kind: Service
  patch: |-
    - op: replace
      path: /spec/type
      value: NodePort
`,
  'objects.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: echo
  labels: {app: echo}
spec:
  replicas: 1
  selector:
    matchLabels:
      app: echo
  template:
    metadata:
      labels:
        app: echo
    spec:
      containers:
        - name: echo # the only one
          image: echo
          args: ["--text", 'it''s', "tab\\t"]
          envFrom:
            - configMapRef:
                name: settings
          ports:
            - containerPort: 4444
              protocol: UDP
          resources:
            limits:
              cpu: 0.5
              memory: "128Mi"
---
apiVersion: traefik.io/v1alpha1
kind: IngressRouteUDP
metadata:
  name: echo
spec:
  entryPoints:
    - udp
  routes:
    - services:
        - name: echo
          port: 4444
`,
  'service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: echo
spec:
  type: ClusterIP
  ports:
    - name: udp
      port: 4444
      protocol: UDP
  selector:
    app: echo
`,
  'patch.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: echo
spec:
  template:
    spec:
      containers:
      - name: echo
        env:
        - name: TEXT
          value: |
            two
            lines
`,
};

const directory = mkdtempSync(join(tmpdir(), 'sluice-sample-'));
try {
  for (const [name, text] of Object.entries(sample)) writeFileSync(join(directory, name), text);
  process.stdout.write = () => true;
  process.stderr.write = () => true;
  for (const command of [['build'], ['ingress', '--dry-run']]) {
    const code = await load('main.cjs').main([...command, directory]);
    // 1 is for what it warns of.
    if (code > 1) throw new Error(`${command.join(' ')} of the sample ended with ${code}`);
  }
  for (const [filename, script] of scripts) {
    // V8 knows bytecode of another text only by the length. A file whose name holds a hash never has another text.
    if (/-[\w-]{8}\.cjs$/.test(filename)) keep(bytecodeFile(filename), script.createCachedData());
  }
  process.exitCode = 0;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Half a file must never be seen: whoever starts the command meanwhile takes it for whole. */
function keep(filename, bytes) {
  writeFileSync(`${filename}.part`, bytes);
  renameSync(`${filename}.part`, filename);
}
