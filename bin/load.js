/**
 * Loads the bundled command line (scripts/bundle.js makes it) together with the bytecode of the functions that it runs first
 * (scripts/bytecode.js), so that V8 need not compile them. What no bytecode is there for is compiled as usual.
 */
'use strict';

const { readFileSync, statSync } = require('node:fs');
const path = require('node:path');
const { Script } = require('node:vm');

const directory = path.join(__dirname, '../dist/bundle');
const modules = new Map();
/** What was loaded, by file name. */
const scripts = new Map();

/** The exports of a file of the bundle. */
function load(name) {
  const loaded = modules.get(name);
  if (loaded) return loaded.exports;
  const module = { exports: {} };
  modules.set(name, module);
  const filename = path.join(directory, name);
  const code = `(function (exports, require, module, __filename, __dirname) {${readFileSync(filename, 'utf8')}\n})`;
  const script = new Script(code, { filename, cachedData: bytecodeOf(filename) });
  scripts.set(filename, script);
  const requireFromBundle = (id) => (id.startsWith('./') ? load(id.slice(2)) : require(id));
  script.runInThisContext()(module.exports, requireFromBundle, module, filename, directory);
  return module.exports;
}

/**
 * Bytecode is for the very executable that made it: V8 knows other versions and flags, but on Node 20 neither other builds of the same
 * version nor damage.
 */
function bytecodeFile(filename) {
  const { size, mtimeMs } = statSync(process.execPath);
  return `${filename}.${process.version}-${process.arch}-${size}-${Math.floor(mtimeMs)}.bytecode`;
}

function bytecodeOf(filename) {
  try {
    return readFileSync(bytecodeFile(filename));
  } catch {
    return undefined;
  }
}

module.exports = { load, scripts, bytecodeFile };
