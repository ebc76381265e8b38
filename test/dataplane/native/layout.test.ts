import { describe, expect, it } from 'vitest';
import { linux, systemCallNumbers } from '../../../src/dataplane/native/constants.ts';
import { alignControl, controlSpace, structLayouts } from '../../../src/dataplane/native/layout.ts';
import { errno } from '../../../src/dataplane/native/system-error.ts';
import { compilers, evaluateInC } from './compiler.ts';

const headers = [
  'sys/socket.h',
  'sys/epoll.h',
  'sys/eventfd.h',
  'sys/timerfd.h',
  'sys/prctl.h',
  'time.h',
  'sys/resource.h',
  'sys/syscall.h',
  'netinet/in.h',
  'netinet/udp.h',
  'fcntl.h',
  'errno.h',
];

/** musl's own headers lack the kernel's, and with them this structure. */
const errorQueueHeader = 'linux/errqueue.h';

describe.each(compilers)('against $command', (compiler) => {
  describe.skipIf(!compiler.isPresent)(`(needs ${compiler.command})`, () => {
    const isMusl = compiler.command === 'musl-gcc';
    const all = isMusl ? headers : [...headers, errorQueueHeader];

    it('struct layouts are the compiler’s, field by field', () => {
      const { sock_extended_err, ...others } = structLayouts[compiler.architecture];
      const structs: Record<string, Record<string, number>> = isMusl
        ? others
        : { ...others, sock_extended_err };
      const fields = Object.entries(structs).flatMap(([struct, layout]) =>
        Object.entries(layout).map(
          ([field, value]) =>
            [
              field === 'size' ? `sizeof(struct ${struct})` : `offsetof(struct ${struct}, ${field})`,
              value,
            ] as const,
        ),
      );
      const actual = evaluateInC(
        compiler,
        all,
        fields.map(([expression]) => expression),
      );
      expect(fields.map(([expression], index) => [expression, actual[index]])).toEqual(fields);
      expect(fields.length).toBeGreaterThan(40);
    });

    it('control messages take the space that CMSG_SPACE says', () => {
      const sizes = [0, 1, 2, 4, 8, 12, 16, 20, 28];
      const spaces = evaluateInC(
        compiler,
        all,
        sizes.map((size) => `CMSG_SPACE(${size})`),
      );
      expect(sizes.map(controlSpace)).toEqual(spaces);
      expect(sizes.map(alignControl)).toEqual(sizes.map((size) => Math.ceil(size / 8) * 8));
    });

    it('constants are the headers’, name by name', () => {
      const names = Object.keys(linux);
      const values = Object.values(linux);
      const isEnumerator = (name: string): boolean => /^(SOCK|EPOLL|MSG|EFD|TFD|RLIMIT|IPPROTO)_?/.test(name);
      const actual = evaluateInC(
        compiler,
        all,
        names.map((name) => (isEnumerator(name) ? `(long)${name}` : name)),
      );
      const known = names.flatMap((_, index) => (actual[index] === undefined ? [] : [index]));
      expect(known.map((index) => [names[index], (actual[index] ?? 0) >>> 0])).toEqual(
        known.map((index) => [names[index], values[index]]),
      );
      // Headers may be older than the newest options.
      expect(known.length).toBeGreaterThan(names.length - 10);
    });

    it('errors and system calls have the headers’ numbers', () => {
      const names = Object.keys(errno).map((name) => `(long)${name}`);
      expect(evaluateInC(compiler, all, names)).toEqual(Object.values(errno));
      const numbers = systemCallNumbers[compiler.architecture];
      expect(evaluateInC(compiler, all, ['(long)SYS_recvmmsg', '(long)SYS_sendmmsg'])).toEqual([
        numbers.recvmmsg,
        numbers.sendmmsg,
      ]);
    });
  });
});
