/**
 * Where the fields of Linux's structures lie, in bytes. Both supported architectures are 64-bit and little-endian and
 * differ in one structure only. musl declares some fields narrower, with padding that must be zero, so that the kernel
 * sees the same bytes. A test compares every number with the C compiler's.
 */

type Fields<Name extends string> = Readonly<Record<'size' | Name, number>>;

export interface StructLayout {
  readonly iovec: Fields<'iov_base' | 'iov_len'>;
  readonly msghdr: Fields<
    'msg_name' | 'msg_namelen' | 'msg_iov' | 'msg_iovlen' | 'msg_control' | 'msg_controllen' | 'msg_flags'
  >;
  readonly mmsghdr: Fields<'msg_hdr' | 'msg_len'>;
  readonly cmsghdr: Fields<'cmsg_len' | 'cmsg_level' | 'cmsg_type'>;
  readonly sockaddr_in: Fields<'sin_family' | 'sin_port' | 'sin_addr'>;
  readonly sockaddr_in6: Fields<
    'sin6_family' | 'sin6_port' | 'sin6_flowinfo' | 'sin6_addr' | 'sin6_scope_id'
  >;
  readonly in_pktinfo: Fields<'ipi_ifindex' | 'ipi_spec_dst' | 'ipi_addr'>;
  readonly in6_pktinfo: Fields<'ipi6_addr' | 'ipi6_ifindex'>;
  readonly epoll_event: Fields<'events' | 'data'>;
  readonly rlimit: Fields<'rlim_cur' | 'rlim_max'>;
  readonly timespec: Fields<'tv_sec' | 'tv_nsec'>;
  readonly itimerspec: Fields<'it_interval' | 'it_value'>;
  readonly sock_extended_err: Fields<
    'ee_errno' | 'ee_origin' | 'ee_type' | 'ee_code' | 'ee_info' | 'ee_data'
  >;
}

const common = {
  iovec: { size: 16, iov_base: 0, iov_len: 8 },
  msghdr: {
    size: 56,
    msg_name: 0,
    msg_namelen: 8,
    msg_iov: 16,
    msg_iovlen: 24,
    msg_control: 32,
    msg_controllen: 40,
    msg_flags: 48,
  },
  mmsghdr: { size: 64, msg_hdr: 0, msg_len: 56 },
  cmsghdr: { size: 16, cmsg_len: 0, cmsg_level: 8, cmsg_type: 12 },
  sockaddr_in: { size: 16, sin_family: 0, sin_port: 2, sin_addr: 4 },
  sockaddr_in6: {
    size: 28,
    sin6_family: 0,
    sin6_port: 2,
    sin6_flowinfo: 4,
    sin6_addr: 8,
    sin6_scope_id: 24,
  },
  in_pktinfo: { size: 12, ipi_ifindex: 0, ipi_spec_dst: 4, ipi_addr: 8 },
  in6_pktinfo: { size: 20, ipi6_addr: 0, ipi6_ifindex: 16 },
  rlimit: { size: 16, rlim_cur: 0, rlim_max: 8 },
  timespec: { size: 16, tv_sec: 0, tv_nsec: 8 },
  itimerspec: { size: 32, it_interval: 0, it_value: 16 },
  sock_extended_err: { size: 16, ee_errno: 0, ee_origin: 4, ee_type: 5, ee_code: 6, ee_info: 8, ee_data: 12 },
} as const;

/** By `process.arch`. */
export const structLayouts: Readonly<Record<'x64' | 'arm64', StructLayout>> = {
  // Packed on x86-64 alone, so that 32-bit programs share it: epoll_ctl(2), <sys/epoll.h>.
  x64: { ...common, epoll_event: { size: 12, events: 0, data: 4 } },
  arm64: { ...common, epoll_event: { size: 16, events: 0, data: 8 } },
};

/** The layout of this machine, or `undefined` where the bindings do not run. */
export function layoutOfThisMachine(): StructLayout | undefined {
  return process.arch === 'x64' || process.arch === 'arm64' ? structLayouts[process.arch] : undefined;
}

/** `CMSG_ALIGN`: control messages start at multiples of eight. */
export const alignControl = (bytes: number): number => (bytes + 7) & ~7;

/** `CMSG_SPACE`: what one control message with that much data takes. */
export const controlSpace = (dataBytes: number): number => common.cmsghdr.size + alignControl(dataBytes);
