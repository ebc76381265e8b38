export { findProgram, NamespacesUnavailableError } from '../cluster/index.ts';
export { type Laptop, type LaptopOptions, launchCluster, startLaptop } from './launcher.ts';
export { brokenHop, type Hop, type HopName, tracePaths, type UdpPath } from './paths.ts';
export { makePlan, type Plan, type PlannedObject, type PlanOptions } from './plan.ts';
export { type ProbeVerdict, probePayload, probeUdp } from './probe.ts';
export type { AppliedObject, LogRecord } from './protocol.ts';
export type { LaptopStatus } from './status.ts';
export { settingsFile } from './tree.ts';
export { watchTree } from './watch.ts';
