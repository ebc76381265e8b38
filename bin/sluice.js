#!/usr/bin/env node
'use strict';

const { load } = require('./load.js');

/** What Node itself answers when a program ends while something is still awaited. */
const unfinished = () => {
  process.exitCode = 13;
};
process.once('beforeExit', unfinished);

void load('main.cjs')
  .main(process.argv.slice(2))
  .then((code) => {
    process.off('beforeExit', unfinished);
    process.exitCode = code;
  });
