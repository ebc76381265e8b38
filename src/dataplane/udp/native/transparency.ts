import { type Libc, openUdpSocket, setSocketOption, socketOptions } from '../../native/index.ts';

/** Whether this process may send from addresses that are not this host's: CAP_NET_ADMIN or CAP_NET_RAW (ip(7), IP_TRANSPARENT). */
export function mayBeTransparent(libc: Libc): boolean {
  const fd = openUdpSocket(libc, 'IPv4');
  try {
    return setSocketOption(libc, fd, socketOptions.transparent4, 1);
  } finally {
    libc.close(fd);
  }
}
