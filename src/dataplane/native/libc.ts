/** The C library's calls, as plain functions over numbers. The only file that loads koffi. */

import { createRequire } from 'node:module';
import { systemCallNumbers } from './constants.ts';
import { layoutOfThisMachine, type StructLayout } from './layout.ts';

/**
 * Arguments are whole numbers: descriptors, flags, and addresses from `NativeMemory`. As in C, the result is -1 on
 * failure, and `errno()`, read before any other call, says why. Blocking calls block the thread.
 */
export interface Libc {
  readonly flavour: 'glibc' | 'musl';
  readonly layout: StructLayout;
  /** Of this thread's last failed call. */
  errno(): number;
  /** Of the buffer's first byte. See `NativeMemory` for why it stays valid. */
  addressOf(buffer: ArrayBuffer): number;

  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: number, addressLength: number): number;
  connect(fd: number, address: number, addressLength: number): number;
  getsockname(fd: number, address: number, addressLength: number): number;
  setsockopt(fd: number, level: number, name: number, value: number, valueLength: number): number;
  getsockopt(fd: number, level: number, name: number, value: number, valueLength: number): number;
  close(fd: number): number;
  dup(fd: number): number;
  fcntl(fd: number, command: number, argument: number): number;

  recv(fd: number, bytes: number, length: number, flags: number): number;
  send(fd: number, bytes: number, length: number, flags: number): number;
  sendto(
    fd: number,
    bytes: number,
    length: number,
    flags: number,
    address: number,
    addressLength: number,
  ): number;
  recvmsg(fd: number, message: number, flags: number): number;
  sendmsg(fd: number, message: number, flags: number): number;
  /** Always waits as its flags say: there is no timeout argument (the kernel's is checked only after a datagram). */
  recvmmsg(fd: number, messages: number, count: number, flags: number): number;
  sendmmsg(fd: number, messages: number, count: number, flags: number): number;

  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: number): number;
  epoll_wait(epoll: number, events: number, maxEvents: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  timerfd_create(clock: number, flags: number): number;
  timerfd_settime(fd: number, flags: number, value: number, previous: number): number;
  clock_gettime(clock: number, time: number): number;
  /** Blocks the thread for at least that long: see `setTimerSlack` for how much longer. */
  usleep(microseconds: number): number;
  prctl(option: number, argument: number, unused3: number, unused4: number, unused5: number): number;
  read(fd: number, bytes: number, length: number): number;
  write(fd: number, bytes: number, length: number): number;

  getrlimit(resource: number, limit: number): number;
  setrlimit(resource: number, limit: number): number;
}

export interface LibcUnavailable {
  /** Why, for the log: one clause. */
  readonly unavailable: string;
}

type ForeignFunction = (...values: number[]) => number;

/** What is used of koffi. `uint64` takes a number as it is, in 46 ns a call where a `void *` takes 51 to 80. */
interface Koffi {
  load(path: null): {
    func(name: string, result: string, parameters: string[]): ForeignFunction;
  };
  address(buffer: ArrayBuffer): bigint;
  view(address: number | bigint, bytes: number): ArrayBuffer;
  errno(): number;
}

type Library = ReturnType<Koffi['load']>;

let loaded: Libc | LibcUnavailable | undefined;

/**
 * The C library of this process, loaded at the first call in each thread. Never throws: where it cannot be had
 * (another platform, koffi not installed) the answer says why, and the `node:dgram` engine serves.
 */
export function loadLibc(): Libc | LibcUnavailable {
  loaded ??= load(requireKoffi);
  return loaded;
}

/** `loadLibc` without its memory, and with another way to load koffi. For tests. */
export function load(loadKoffi: () => unknown): Libc | LibcUnavailable {
  const layout = layoutOfThisMachine();
  if (process.platform !== 'linux') return { unavailable: `there are no bindings for ${process.platform}` };
  if (!layout) return { unavailable: `there are no bindings for ${process.arch} processors` };
  try {
    return bindings(loadKoffi() as Koffi, layout);
  } catch (error) {
    const [firstLine = ''] = String(error instanceof Error ? error.message : error).split('\n');
    return { unavailable: `koffi could not be loaded: ${firstLine}` };
  }
}

export function isAvailable(libc: Libc | LibcUnavailable): libc is Libc {
  return !('unavailable' in libc);
}

const requireKoffi = (): unknown => createRequire(import.meta.url)('koffi');

const signatures = {
  socket: ['int', 'int', 'int'],
  bind: ['int', 'uint64', 'uint32'],
  connect: ['int', 'uint64', 'uint32'],
  getsockname: ['int', 'uint64', 'uint64'],
  setsockopt: ['int', 'int', 'int', 'uint64', 'uint32'],
  getsockopt: ['int', 'int', 'int', 'uint64', 'uint64'],
  close: ['int'],
  dup: ['int'],
  epoll_create1: ['int'],
  epoll_ctl: ['int', 'int', 'int', 'uint64'],
  epoll_wait: ['int', 'uint64', 'int', 'int'],
  eventfd: ['uint32', 'int'],
  timerfd_create: ['int', 'int'],
  timerfd_settime: ['int', 'int', 'uint64', 'uint64'],
  clock_gettime: ['int', 'uint64'],
  usleep: ['uint32'],
  prctl: ['int', 'uint64', 'uint64', 'uint64', 'uint64'],
  getrlimit: ['int', 'uint64'],
  setrlimit: ['int', 'uint64'],
} as const;

/** Those that give a `ssize_t`. */
const sizeSignatures = {
  recv: ['int', 'uint64', 'uint64', 'int'],
  send: ['int', 'uint64', 'uint64', 'int'],
  sendto: ['int', 'uint64', 'uint64', 'int', 'uint64', 'uint32'],
  recvmsg: ['int', 'uint64', 'int'],
  sendmsg: ['int', 'uint64', 'int'],
  read: ['int', 'uint64', 'uint64'],
  write: ['int', 'uint64', 'uint64'],
} as const;

function bindings(koffi: Koffi, layout: StructLayout): Libc {
  const library = koffi.load(null);
  const flavour = hasSymbol(library, 'gnu_get_libc_version') ? 'glibc' : 'musl';
  return {
    flavour,
    layout,
    errno: errnoReader(koffi, library),
    addressOf: (buffer) => Number(koffi.address(buffer)),
    ...declared(library, 'int', signatures),
    ...declared(library, 'int64', sizeSignatures),
    fcntl: library.func('fcntl', 'int', ['int', 'int', 'int']),
    ...batchCalls(library, flavour),
  };
}

function declared<Name extends string>(
  library: Library,
  result: string,
  parameters: Readonly<Record<Name, readonly string[]>>,
): Record<Name, ForeignFunction> {
  const names = Object.keys(parameters) as Name[];
  return Object.fromEntries(
    names.map((name) => [name, library.func(name, result, [...parameters[name]])]),
  ) as Record<Name, ForeignFunction>;
}

/** musl's `sendmmsg` is a loop of `sendmsg` on 64-bit machines, so its system calls are made directly. */
export function batchCalls(library: Library, flavour: Libc['flavour']): Pick<Libc, 'recvmmsg' | 'sendmmsg'> {
  if (flavour === 'glibc') {
    const receive = library.func('recvmmsg', 'int', ['int', 'uint64', 'uint32', 'int', 'uint64']);
    return {
      recvmmsg: (fd, messages, count, flags) => receive(fd, messages, count, flags, 0),
      sendmmsg: library.func('sendmmsg', 'int', ['int', 'uint64', 'uint32', 'int']),
    };
  }
  const number = systemCallNumbers[process.arch === 'arm64' ? 'arm64' : 'x64'];
  const call = library.func('syscall', 'int64', ['int64', 'int64', 'uint64', 'int64', 'int64', 'int64']);
  return {
    recvmmsg: (fd, messages, count, flags) => call(number.recvmmsg, fd, messages, count, flags, 0),
    sendmmsg: (fd, messages, count, flags) => call(number.sendmmsg, fd, messages, count, flags, 0),
  };
}

function hasSymbol(library: Library, name: string): boolean {
  try {
    library.func(name, 'uint64', []);
    return true;
  } catch {
    return false;
  }
}

/** `errno` lies at one address as long as the thread lives: reading it there costs a fifth of asking koffi. */
function errnoReader(koffi: Koffi, library: Library): () => number {
  try {
    const location = library.func('__errno_location', 'uint64', [])();
    const view = new Int32Array(koffi.view(location, 4));
    return () => view[0] ?? 0;
  } catch {
    return () => koffi.errno();
  }
}
