/** What becomes of a datagram, as a small number: nothing that is made on the packet path is a string. */

import { type UdpDropReason, udpDropReasons } from '../../udp-engine.ts';

/** The number of each drop reason: its place in `udpDropReasons`. */
export const dropCode = Object.fromEntries(udpDropReasons.map((reason, code) => [reason, code])) as Readonly<
  Record<UdpDropReason, number>
>;

/**
 * Functions of the packet path answer with an id (0 and up) or with a refusal: a drop code as a negative number.
 * -1 is code 0.
 */
export function refusal(code: number): number {
  return -1 - code;
}

/** The drop code of a refusal. */
export function codeOf(answer: number): number {
  return -1 - answer;
}
