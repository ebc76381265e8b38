import { describe, expect, it } from 'vitest';
import { position, readArguments } from '../fixtures.ts';

const read = (...texts: string[]) => readArguments(texts);

describe('readStaticArguments', () => {
  it('reads addresses with host, port and protocol, tcp when none is given', () => {
    const { entryPoints } = read(
      '--entrypoints.myudp.address=:9998/udp',
      '--entrypoints.mytcp.address=:9999/tcp',
      '--entrypoints.web.address=10.0.0.1:80',
      '--entrypoints.six.address=[::1]:53/UDP',
    );
    expect(entryPoints.map(({ name, host, port, protocol }) => [name, host, port, protocol])).toEqual([
      ['myudp', '', 9998, 'udp'],
      ['mytcp', '', 9999, 'tcp'],
      ['web', '10.0.0.1', 80, 'tcp'],
      ['six', '::1', 53, 'udp'],
    ]);
  });

  it('takes option and entry point names without regard to case, and the last value', () => {
    const { entryPoints } = read('--entryPoints.MyUdp.address=:1/udp', '--entrypoints.myudp.ADDRESS=:2/tcp');
    expect(entryPoints).toHaveLength(1);
    expect(entryPoints[0]).toMatchObject({ name: 'MyUdp', port: 2, protocol: 'tcp' });
  });

  it('reads the value from the next word too', () => {
    expect(read('--entrypoints.a.address', ':1/udp').entryPoints[0]?.port).toBe(1);
  });

  it.each([
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['7', 7_000],
  ])('reads the session timeout %s', (text, milliseconds) => {
    const { entryPoints } = read('--entrypoints.a.address=:1/udp', `--entrypoints.a.udp.timeout=${text}`);
    expect(entryPoints[0]?.udpTimeoutMs).toBe(milliseconds);
  });

  it("has Traefik's session timeout of 3 s when none is given", () => {
    expect(read('--entrypoints.a.address=:1/udp').entryPoints[0]?.udpTimeoutMs).toBe(3000);
  });

  it('names the options of Traefik that it does not need', () => {
    const { ignored, diagnostics } = read('--tracing.otlp=true', '--global.checknewversion');
    expect(ignored.map(({ text }) => text)).toEqual(['--tracing.otlp', '--global.checknewversion']);
    expect(diagnostics).toEqual([]);
  });

  it.each([
    ['--entrypoint.myudp.address=:9998/udp', 'entrypoints'],
    ['--entrypoints.myudp.adress=:9998/udp', 'address'],
  ])('refuses %s with the name that was meant', (text, meant) => {
    const { diagnostics } = read(text);
    expect(diagnostics[0]).toMatchObject({ code: 'SL3002', position });
    expect(diagnostics[0]?.hint).toContain(meant);
  });

  it.each([':9998/upd', '9998/udp', ':99999/udp', ':x/udp', ''])('refuses the address %j', (address) => {
    const { entryPoints, diagnostics } = read(`--entrypoints.a.address=${address}`);
    expect(entryPoints).toEqual([]);
    expect(diagnostics[0]).toMatchObject({ code: 'SL3001', severity: 'error' });
  });

  it.each(['0', '-1s', 'soon'])('refuses the session timeout %j', (timeout) => {
    const { diagnostics } = read('--entrypoints.a.address=:1/udp', `--entrypoints.a.udp.timeout=${timeout}`);
    expect(diagnostics[0]).toMatchObject({ code: 'SL3001' });
  });

  it('refuses an entry point that has a timeout and no address', () => {
    expect(read('--entrypoints.a.udp.timeout=3s').diagnostics[0]).toMatchObject({ code: 'SL3001' });
  });
});
