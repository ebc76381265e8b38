/** Objects that many cases use, so that a case shows only what it is about. */

/** Files by their path below the case's directory; the overlay to render is `over/`, else the directory itself. */
export type CaseFiles = Readonly<Record<string, string>>;
export type CaseTable = Readonly<Record<string, CaseFiles>>;

export const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: main
        image: nginx:1.25
        ports:
        - containerPort: 80
        - containerPort: 53
          protocol: UDP
        env:
        - name: A
          value: "1"
        - name: B
          valueFrom: {configMapKeyRef: {name: settings, key: b}}
        volumeMounts:
        - {name: data, mountPath: /data}
      - name: side
        image: registry.local:5000/tools/side@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3
      initContainers:
      - name: init
        image: busybox
      volumes:
      - name: data
        persistentVolumeClaim: {claimName: store}
      serviceAccountName: robot
`;

export const service = `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
  - name: http
    port: 80
    targetPort: 80
  - name: dns
    port: 53
    protocol: UDP
    targetPort: 53
`;

export const configMap = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  a: one
  b: "2"
`;

export const route = `apiVersion: traefik.io/v1alpha1
kind: IngressRouteUDP
metadata:
  name: dns
spec:
  entryPoints: [dns]
  routes:
  - services:
    - name: web
      port: 53
`;

export const app = [deployment, service, configMap, route].join('---\n');

/** One kustomization over `app`. */
export const overApp = (kustomization: string, files: CaseFiles = {}): CaseFiles => ({
  'app.yaml': app,
  'kustomization.yaml': `resources: [app.yaml]\n${kustomization}`,
  ...files,
});

/** An overlay over a base with `app`. */
export const overBase = (overlay: string, base = '', files: CaseFiles = {}): CaseFiles => ({
  'base/app.yaml': app,
  'base/kustomization.yaml': `resources: [app.yaml]\n${base}`,
  'over/kustomization.yaml': `resources: [../base]\n${overlay}`,
  ...files,
});

/** One object, printed as it is. */
export const printed = (text: string): CaseFiles => ({
  'kustomization.yaml': 'resources: [object.yaml]\n',
  'object.yaml': text,
});

/** One value in a ConfigMap, printed as it is. */
export const value = (text: string): CaseFiles =>
  printed(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  key: ${text}\n`);

/** One object with one strategic merge patch. */
export const patched = (object: string, patch: string): CaseFiles => ({
  'kustomization.yaml': 'resources: [object.yaml]\npatches:\n- path: patch.yaml\n',
  'object.yaml': object,
  'patch.yaml': patch,
});

/** The same, with a target, under which kustomize treats the patch differently. */
export const targeted = (object: string, patch: string, kind = '.*'): CaseFiles => ({
  'kustomization.yaml': `resources: [object.yaml]\npatches:\n- path: patch.yaml\n  target: {kind: "${kind}"}\n`,
  'object.yaml': object,
  'patch.yaml': patch,
});

const head = (kind: string, apiVersion: string) => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x}\n`;

/** A Service's ports, patched. */
export const ports = (base: string, patch: string): CaseFiles =>
  patched(`${head('Service', 'v1')}spec: {ports: ${base}}\n`, `${head('Service', 'v1')}spec: {ports: ${patch}}\n`);

/** A Deployment's pod spec, patched. */
export const podSpec = (base: string, patch: string): CaseFiles => {
  const pod = (spec: string) => `${head('Deployment', 'apps/v1')}spec: {template: {spec: ${spec}}}\n`;
  return patched(pod(base), pod(patch));
};

/** A custom resource's spec, patched. */
export const custom = (base: string, patch: string): CaseFiles =>
  patched(`${head('Thing', 'example.com/v1')}spec: ${base}\n`, `${head('Thing', 'example.com/v1')}spec: ${patch}\n`);

/** A custom resource with a JSON patch. */
export const operations = (base: string, patch: string): CaseFiles => ({
  'kustomization.yaml': `resources: [object.yaml]\npatches:\n- target: {kind: Thing}\n  patch: |-\n${patch.replace(/^/gm, '    ')}\n`,
  'object.yaml': `${head('Thing', 'example.com/v1')}spec: ${base}\n`,
});

/** Rows `name: arguments` as a table of cases. */
export function table<Row>(prefix: string, make: (row: Row) => CaseFiles, rows: Readonly<Record<string, Row>>): CaseTable {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [`${prefix}: ${name}`, make(row)]));
}

/** Values as a table of cases, each named by itself. */
export function list(prefix: string, make: (text: string) => CaseFiles, texts: readonly string[]): CaseTable {
  return table(prefix, make, Object.fromEntries(texts.map((text) => [text, text])));
}
