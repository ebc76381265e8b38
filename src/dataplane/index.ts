export type * from './route-table.ts';
export type * from './udp-engine.ts';
export { udpDropReasons } from './udp-engine.ts';
