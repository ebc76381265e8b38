#!/usr/bin/env node
'use strict';

const { load } = require('./load.js');

let isDone = false;
process.once('beforeExit', () => {
  // What Node itself answers when a program ends while something is still awaited.
  if (!isDone) process.exitCode = 13;
  // Nothing is left to do, so the memory need not be taken apart piece by piece.
  process.exit();
});

void load('main.cjs')
  .main(process.argv.slice(2))
  .then((code) => {
    isDone = true;
    process.exitCode = code;
  });
