/** A worker's thread: see `WorkerLoop`. */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { isAvailable, loadLibc } from '../../native/index.ts';
import type { WorkerCommand, WorkerReport, WorkerSetup } from './messages.ts';
import { WorkerLoop } from './worker-loop.ts';

const libc = loadLibc();
const port = parentPort;
if (!port || !isAvailable(libc)) throw new Error('not a worker, or without the C library');

const loop = new WorkerLoop(libc, workerData as WorkerSetup, {
  next: () => receiveMessageOnPort(port)?.message as WorkerCommand | undefined,
  report: (report: WorkerReport) => port.postMessage(report),
});
loop.run();
