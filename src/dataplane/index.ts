export type * from './route-table.ts';
export { isAddressRange } from './udp/core/address-list.ts';
export { createUdpEngine, type UdpEngineOptions } from './udp/create-udp-engine.ts';
export type { EngineLog, EngineLogLevel } from './udp/engine-log.ts';
export type * from './udp-engine.ts';
export { udpDropReasons, udpReplyDropReasons, udpRequestDropReasons } from './udp-engine.ts';
