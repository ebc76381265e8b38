import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { DiagnosticError } from '../../src/diagnostics/index.ts';
import { bindUdpPort } from '../../src/laptop/host-sockets.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const position = { file: 'traefik-app.yaml', line: 42, column: 23 };

async function refusalOf(address: string, port: number) {
  const error: unknown = await bindUdpPort(address, port, position).then(
    (socket) => {
      socket.close();
      return undefined;
    },
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(DiagnosticError);
  return (error as DiagnosticError).diagnostics;
}

describe('a port of this machine', () => {
  it('is bound on the address asked for', async () => {
    const socket = await bindUdpPort('127.0.0.1', 0);
    open.push(() => socket.close());
    expect(socket.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
  });

  it('that another process holds is refused with that process and the line that asks for it (SL4001)', async () => {
    const program = `const s = require('node:dgram').createSocket('udp4'); s.bind(0, '127.0.0.1', () => console.log(s.address().port));`;
    const holder = spawn(process.execPath, ['-e', program]);
    open.push(() => holder.kill('SIGKILL'));
    const [text] = (await once(holder.stdout, 'data')) as [Buffer];
    const port = Number(String(text));
    const [diagnostic] = await refusalOf('127.0.0.1', port);
    expect(diagnostic).toMatchObject({ code: 'SL4001', severity: 'error', position });
    expect(diagnostic?.message).toContain(
      `127.0.0.1:${port}/udp is held by process ${holder.pid} (${process.execPath} -e`,
    );
    expect(diagnostic?.hint).toContain(`kill ${holder.pid}`);
  });

  it('that this process holds itself is refused too', async () => {
    const socket = createSocket('udp4');
    open.push(() => socket.close());
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const [diagnostic] = await refusalOf('127.0.0.1', socket.address().port);
    expect(diagnostic?.message).toContain(`held by process ${process.pid}`);
  });

  it('is not said to be held by a process that has the same port of another address', async () => {
    const other = createSocket('udp4');
    open.push(() => other.close());
    other.bind(0, '127.0.0.2');
    await once(other, 'listening');
    const { port } = other.address();
    const program = `const s = require('node:dgram').createSocket('udp4'); s.bind(${port}, '127.0.0.1', () => console.log('bound'));`;
    const holder = spawn(process.execPath, ['-e', program]);
    open.push(() => holder.kill('SIGKILL'));
    await once(holder.stdout, 'data');
    const [diagnostic] = await refusalOf('127.0.0.1', port);
    expect(diagnostic?.message).toContain(`held by process ${holder.pid} `);
  });

  it('that a process holds on every address is found too', async () => {
    const program = `const s = require('node:dgram').createSocket('udp4'); s.bind(0, () => console.log(s.address().port));`;
    const holder = spawn(process.execPath, ['-e', program]);
    open.push(() => holder.kill('SIGKILL'));
    const [text] = (await once(holder.stdout, 'data')) as [Buffer];
    const [diagnostic] = await refusalOf('127.0.0.1', Number(String(text)));
    expect(diagnostic?.message).toContain(`held by process ${holder.pid} `);
  });

  it('on an address that is not of this machine is refused with advice (SL4001)', async () => {
    const [diagnostic] = await refusalOf('192.0.2.1', 0);
    expect(diagnostic).toMatchObject({
      code: 'SL4001',
      hint: 'Give --host-address an address of this machine.',
    });
  });
});
