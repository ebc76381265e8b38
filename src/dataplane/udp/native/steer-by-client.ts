/** Which of the sockets that share a port gets a datagram: by its source address alone, not also by its port. */

import { check, type Libc, linux, NativeMemory } from '../../native/index.ts';

/** Classic BPF (linux/filter.h, linux/bpf_common.h): operation codes used here. */
const operation = {
  loadByte: 0x30,
  loadWord: 0x20,
  and: 0x54,
  jumpIfEqual: 0x15,
  multiply: 0x24,
  shiftRight: 0x74,
  modulo: 0x94,
  answer: 0x16,
} as const;
/** SKF_NET_OFF: offsets from it count from the IP header. */
const networkHeader = 0xfff0_0000;
/** Of the version, the IPv4 source address, and the low word of the IPv6 one, in their headers. */
const [versionAt, source4At, source6At] = [0, 12, 20] as const;
const instructionBytes = 8;

/** For all sockets of the group that `fd` is in. Throws `SystemCallError`. */
export function steerByClient(libc: Libc, fd: number, sockets: number): void {
  const program: readonly (readonly [code: number, yes: number, no: number, value: number])[] = [
    [operation.loadByte, 0, 0, networkHeader + versionAt],
    [operation.and, 0, 0, 0xf0],
    [operation.jumpIfEqual, 0, 2, 0x60],
    [operation.loadWord, 0, 0, networkHeader + source6At],
    [operation.jumpIfEqual, 1, 1, 0],
    [operation.loadWord, 0, 0, networkHeader + source4At],
    // Neighbouring addresses, which differ in their last bits, are spread by the upper half of a product.
    [operation.multiply, 0, 0, 0x9e37_79b1],
    [operation.shiftRight, 0, 0, 16],
    [operation.modulo, 0, 0, sockets],
    [operation.answer, 0, 0, 0],
  ];
  const memory = new NativeMemory(libc, 16 + program.length * instructionBytes);
  for (const [index, [code, yes, no, value]] of program.entries()) {
    const at = 16 + index * instructionBytes;
    memory.view.setUint16(at, code, true);
    memory.view.setUint8(at + 2, yes);
    memory.view.setUint8(at + 3, no);
    memory.view.setUint32(at + 4, value, true);
  }
  // struct sock_fprog: the number of instructions, and where they are.
  memory.view.setUint16(0, program.length, true);
  memory.setUint64(8, memory.address + 16);
  const result = libc.setsockopt(fd, linux.SOL_SOCKET, linux.SO_ATTACH_REUSEPORT_CBPF, memory.address, 16);
  check(libc, 'setsockopt', result, 'SO_ATTACH_REUSEPORT_CBPF');
}
