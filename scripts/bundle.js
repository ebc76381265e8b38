/**
 * Puts the command line into a few files, `dist/bundle/*.cjs`: Node takes longer to find and read two hundred small modules than
 * `sluice build` takes to render a small kustomization. They are CommonJS, which Node starts sooner than ECMAScript modules and
 * whose bytecode can be kept (scripts/bytecode.js) on every version of Node. Worker threads, the cluster process and the tests use the
 * modules that `tsc` leaves in `dist`; no process uses both.
 */

import { readdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const root = resolve(import.meta.dirname, '..');
const source = join(root, 'src');
const output = join(root, 'dist/bundle');

/** Modules believe that they lie where tsc put them, so that what they look for beside them is found. */
const ownAddresses = {
  name: 'own-addresses',
  transform(code, id) {
    if (!id.startsWith(source) || !code.includes('import.meta.')) return undefined;
    const path = JSON.stringify(`../${relative(source, id).replace(/\.ts$/, '.js')}`);
    const file = `process.getBuiltinModule('node:path').join(__dirname, ${path})`;
    return code
      .replaceAll('import.meta.url', `process.getBuiltinModule('node:url').pathToFileURL(${file}).href`)
      .replaceAll('import.meta.dirname', `process.getBuiltinModule('node:path').dirname(${file})`);
  },
};

/** commander needs it for commands that are programs of their own, which sluice has none of; it takes 8 ms to load. */
const lateChildProcess = {
  name: 'late-child-process',
  resolveId: (id, importer) =>
    id === 'node:child_process' && importer?.includes('/commander/') ? '\0late-child-process' : undefined,
  load: (id) =>
    id === '\0late-child-process'
      ? `export const spawn = (...words) => process.getBuiltinModule('node:child_process').spawn(...words);`
      : undefined,
};

/** Taken in: commander, which every command loads, and chokidar, which cannot be loaded by require on every Node. */
const packages = ['commander', 'chokidar', 'readdirp'];
const isOtherPackage = (id) => /^(?!node:)[a-z@]/.test(id) && !packages.includes(id);

const bundle = await rolldown({
  input: { main: join(source, 'cli/main.ts') },
  platform: 'node',
  external: isOtherPackage,
  plugins: [lateChildProcess, ownAddresses],
});
const { output: files } = await bundle.write({
  dir: output,
  format: 'cjs',
  strict: true,
  exports: 'named',
  entryFileNames: '[name].cjs',
  // By the hash bytecode belongs to one text of a file, and files of an earlier bundle may stay until the new ones are written.
  chunkFileNames: '[name]-[hash].cjs',
  codeSplitting: {
    groups: [
      { name: 'start', tags: ['$initial'], priority: 1 },
      { name: 'render', test: /\/src\/(?:kustomize|yaml|files)\// },
    ],
  },
});
await bundle.close();

const written = new Set(files.map(({ fileName }) => fileName));
for (const name of readdirSync(output)) if (!written.has(name)) rmSync(join(output, name));
