/** The load generator's process: `load.js JSON`, where JSON is a `LoadPlan`. Prints a `LoadResult` as JSON. */

import { openClients } from './clients.ts';
import { runClosedLoop } from './closed-loop.ts';
import type { LoadPlan } from './load-plan.ts';
import { runOpenLoop } from './open-loop.ts';
import { parseAddress, requireLibc } from './require-libc.ts';

const plan = JSON.parse(process.argv[2] ?? '{}') as LoadPlan;
const libc = requireLibc();
const isStamped = plan.kind === 'open' && plan.isStamped === true;
const clients = openClients(libc, {
  count: plan.clients,
  target: parseAddress(plan.target),
  payloadBytes: plan.payloadBytes,
  isStamped,
});
const result = plan.kind === 'closed' ? runClosedLoop(clients, plan) : runOpenLoop(libc, clients, plan);
console.log(JSON.stringify(result));
