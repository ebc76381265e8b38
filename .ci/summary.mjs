// Adds up vitest's JSON reports. Skipped tests are named and fail the run: here every program they need is installed.
import { readFileSync } from 'node:fs';

const reports = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const tests = reports.flatMap((report) =>
  report.testResults.flatMap(({ assertionResults }) => assertionResults),
);
const of = (...statuses) => tests.filter(({ status }) => statuses.includes(status));

const passed = of('passed').length;
const skipped = of('skipped', 'pending', 'todo', 'disabled');
for (const { fullName } of skipped) console.log(`skipped: ${fullName}`);
for (const { fullName } of of('failed')) console.log(`failed: ${fullName}`);

// A file that cannot be loaded has no tests of its own to fail.
const broken = reports.flatMap(({ testResults }) =>
  testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0),
);
for (const { name, message } of broken) console.log(`failed to load: ${name}: ${message}`);
const failed = of('failed').length + broken.length + skipped.length;
if (skipped.length > 0) console.log(`${skipped.length} skipped, which count as failed here`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
