import fc from 'fast-check';

const name = fc.constantFrom('a', 'b', 'c', 'd');
const text = fc.constantFrom('x', 'y', '');
const labels = fc.dictionary(name, text, { maxKeys: 3 });

const entry = (key: string, value: fc.Arbitrary<unknown>, rest: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ [key]: value, ...rest }, { requiredKeys: [key] });

/** Entries told apart by `key`, each at most once. */
const uniqueList = (key: string, of: fc.Arbitrary<Record<string, unknown>>) =>
  fc.uniqueArray(of, { selector: (item) => item[key], maxLength: 4 });

const env = uniqueList('name', entry('name', name, { value: text }));
const ports = uniqueList(
  'containerPort',
  entry('containerPort', fc.constantFrom(80, 81, 82), { name, protocol: fc.constantFrom('TCP', 'UDP') }),
);
const mounts = uniqueList('mountPath', entry('mountPath', fc.constantFrom('/a', '/b'), { name }));
const args = fc.array(text, { maxLength: 2 });
const containers = uniqueList(
  'name',
  entry('name', name, { image: text, env, ports, args, volumeMounts: mounts }),
);
const volumes = uniqueList(
  'name',
  entry('name', name, {
    emptyDir: fc.constant({}),
    configMap: fc.record({ name }),
    hostPath: fc.record({ path: text }),
  }),
);
const tolerations = fc.array(fc.record({ key: name }), { maxLength: 2 });
const finalizers = fc.uniqueArray(fc.constantFrom('k/a', 'k/b', 'k/c', 'k/d'), { maxLength: 4 });
const optional = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.record(fields, { requiredKeys: [] });

const podSpec = optional({
  containers,
  volumes,
  tolerations,
  nodeSelector: labels,
  hostNetwork: fc.boolean(),
});
const template = optional({ metadata: optional({ labels, annotations: labels }), spec: podSpec });
const strategy = optional({ type: text, rollingUpdate: optional({ maxSurge: fc.constantFrom(1, '25%') }) });
const deploymentSpec = optional({
  replicas: fc.nat(3),
  selector: optional({ matchLabels: labels }),
  template,
  strategy,
});

/** A Deployment with few names, so that patches often meet what they name. */
export const deployment = fc
  .record({ labels, finalizers, spec: deploymentSpec })
  .map(({ labels: own, finalizers: held, spec }) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'demo', labels: own, ...(held.length > 0 && { finalizers: held }) },
    spec,
  }));

/** Sometimes null, which removes; sometimes `$patch`, which replaces or deletes; rarely a directive nobody knows. */
function patched(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) });
}

function patchObject(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const plain = optional(
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, patched(value)])),
  );
  const directive = fc.constantFrom('replace', 'delete', 'merge', 'replace', 'delete');
  return fc.oneof(
    { weight: 12, arbitrary: plain },
    {
      weight: 1,
      arbitrary: fc.tuple(plain, directive).map(([object, value]) => ({ ...object, $patch: value })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(plain, fc.subarray(Object.keys(fields))).map(([object, more]) => ({
        ...object,
        $retainKeys: [...new Set([...Object.keys(object), ...more])],
      })),
    },
    {
      weight: 1,
      arbitrary: plain.map((object) => ({ ...object, $retainKeys: Object.keys(fields).slice(1) })),
    },
  );
}

/** A list with deletions and replacements among its entries, and its `$setElementOrder`. */
function patchList(
  field: string,
  key: string,
  values: fc.Arbitrary<unknown>,
  rest: Record<string, fc.Arbitrary<unknown>>,
) {
  const change = fc
    .tuple(values, patchObject(rest), fc.constantFrom('', '', '', '', '', 'delete', 'delete', 'keyless'))
    .map(([value, object, what]) => {
      if (what === 'delete') return { $patch: 'delete', [key]: value };
      return what === 'keyless' ? object : { ...object, [key]: value };
    });
  const list = fc.array(change, { maxLength: 3 });
  const keys = fc.shuffledSubarray([0, 1, 2, 3, 4]);
  return fc
    .tuple(list, keys, fc.array(values, { maxLength: 3 }), fc.constantFrom('none', 'none', 'fitting', 'any'))
    .map(([items, , others, order]) => {
      const own = items
        .filter((item) => !('$patch' in item))
        .map((item) => (item as Record<string, unknown>)[key]);
      const named = [...new Set(order === 'fitting' ? [...own, ...others] : others)].map((value) => ({
        [key]: value,
      }));
      return { [field]: items, ...(order !== 'none' && { [`$setElementOrder/${field}`]: named }) };
    });
}

const merged = (...parts: fc.Arbitrary<Record<string, unknown>>[]) =>
  fc.tuple(...parts).map((objects) => Object.assign({}, ...objects) as Record<string, unknown>);
const maybe = (part: fc.Arbitrary<Record<string, unknown>>) => fc.oneof(part, fc.constant({}));

const containerPatch = {
  image: text,
  args,
  env: uniqueList('name', entry('name', name, { value: text })),
  ports,
  resources: optional({ limits: labels }),
};
const podSpecPatch = merged(
  patchObject({
    tolerations,
    nodeSelector: patchObject({ a: text, b: text }),
    hostNetwork: fc.boolean(),
    volumes,
  }),
  maybe(patchList('containers', 'name', name, containerPatch)),
  maybe(patchList('volumes', 'name', name, { emptyDir: fc.constant({}), configMap: optional({ name }) })),
);
const finalizersPatch = fc.oneof(
  finalizers.map((values) => ({ finalizers: values })),
  finalizers.map((values) => ({ '$deleteFromPrimitiveList/finalizers': values })),
  fc.tuple(finalizers, finalizers).map(([values, order]) => ({
    finalizers: values,
    '$setElementOrder/finalizers': [...new Set([...values, ...order])],
  })),
);

/** A strategic merge patch for it; a few are malformed on purpose. */
export const strategicPatch = patchObject({
  metadata: merged(
    patchObject({ labels: patchObject({ a: text, b: text, c: text }) }),
    maybe(finalizersPatch),
  ),
  spec: patchObject({
    replicas: fc.nat(3),
    strategy: patchObject({ type: text, rollingUpdate: patchObject({ maxSurge: fc.nat(3) }) }),
    template: patchObject({ metadata: patchObject({ annotations: labels }), spec: podSpecPatch }),
  }),
});

const anyJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(null, true, 0, 1, 'x', '', -1),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'a/b', '~', '0', '-'), tie('value'), { maxKeys: 3 }),
  ),
})).value;

/** An object whose data is any JSON with few field names. */
export const anyObject = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'a/b'), anyJson, { maxKeys: 4 })
  .map((data) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'demo' }, data }));

export const mergePatch = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'a/b'), anyJson, { maxKeys: 4 })
  .map((data) => ({ data }));

const step = fc.constantFrom('a', 'b', 'c', 'a~1b', '~0', '0', '1', '2', '-', '-1', '-2', '+1', '01', 'x');
const pointer = fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => `/data/${steps.join('/')}`);
const operation = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'add', 'replace', 'test'), path: pointer, value: anyJson }),
  fc.record({ op: fc.constant('remove'), path: pointer }),
  fc.record({ op: fc.constantFrom('move', 'copy'), path: pointer, from: pointer }),
);
export const jsonPatch = fc.array(operation, { minLength: 1, maxLength: 3 });
