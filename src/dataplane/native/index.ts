/** Linux's sockets without a detour: the C library's calls, and batches of datagrams in memory that never moves. */

export { clockReader, clocks, readTimespec } from './clock.ts';
export { linux } from './constants.ts';
export {
  bindSocket,
  connectSocket,
  type DescriptorLimit,
  descriptorLimit,
  droppedDatagrams,
  duplicate,
  getSocketOption,
  localAddress,
  openUdpSocket,
  raiseDescriptorLimit,
  type SocketFamily,
  type SocketOption,
  setBufferSizes,
  setNonBlocking,
  setSocketOption,
  socketOptions,
} from './descriptor.ts';
export { isAvailable, type Libc, type LibcUnavailable, loadLibc } from './libc.ts';
export { NativeMemory } from './memory.ts';
export { IntervalTimer, Poller, pollEvents, setTimerSlack, WakeEvent } from './poller.ts';
export { ReceiveBatch, type ReceiveBatchOptions } from './receive-batch.ts';
export { maxPartsPerMessage, maxSegmentsPerSend, SendBatch, type SendBatchOptions } from './send-batch.ts';
export {
  readSocketAddress,
  type SocketAddress,
  socketAddressBytes,
  writeSocketAddress,
} from './socket-address.ts';
export { check, errno, errnoName, SystemCallError } from './system-error.ts';
