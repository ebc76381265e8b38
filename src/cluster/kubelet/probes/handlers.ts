/** Carries out the action of a probe or hook. Failures are worded as a kubelet words them. */

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { ExecAction, Handler, HttpGetAction } from '../pod-spec.ts';
import { pause } from '../timing.ts';
import { checkGrpcHealth } from './grpc-health.ts';
import { type HandlerResult, type HandlerTarget, portNumber } from './target.ts';

const success: HandlerResult = { isSuccess: true, output: '' };
const failure = (output: string): HandlerResult => ({ isSuccess: false, output });

/** What is kept of a command's output (maxReadLength of a kubelet). */
const maxOutputBytes = 10 * 1024;

/** Never rejects. Ends by the timeout, or when the signal aborts. */
export async function carryOut(
  handler: Handler,
  target: HandlerTarget,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<HandlerResult> {
  if (handler.exec) return runCommand(handler.exec, target, timeoutMs, signal);
  if (handler.httpGet) return getHttp(handler.httpGet, target, timeoutMs, signal);
  if (handler.tcpSocket) {
    const port = portNumber(target.container, handler.tcpSocket.port);
    if (port === undefined) return failure(`couldn't find port: ${handler.tcpSocket.port}`);
    return dialTcp(handler.tcpSocket.host ?? target.address, port, timeoutMs);
  }
  if (handler.grpc)
    return checkGrpcHealth(target.address, handler.grpc.port, handler.grpc.service ?? '', timeoutMs);
  if (handler.sleep) {
    await pause(handler.sleep.seconds * 1000, signal);
    return success;
  }
  return failure('missing handler');
}

async function runCommand(
  { command = [] }: ExecAction,
  { network, networkName, process, env, workingDirectory }: HandlerTarget,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<HandlerResult> {
  const [program = '', ...args] = command;
  const child = network.spawn(networkName, [program, ...args], { env, workingDirectory, beside: process });
  let output = '';
  const collect = (text: Buffer) => {
    if (output.length < maxOutputBytes) output += text.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  let isOver = false;
  await pause(
    timeoutMs,
    signal,
    child.exited.then(() => {
      isOver = true;
    }),
  );
  if (!isOver) {
    child.kill();
    return failure(`command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s`);
  }
  const exitCode = await child.exited;
  return exitCode === 0 ? success : failure(output.slice(0, maxOutputBytes));
}

function getHttp(
  action: HttpGetAction,
  target: HandlerTarget,
  timeoutMs: number,
  ended?: AbortSignal,
): Promise<HandlerResult> {
  const port = portNumber(target.container, action.port);
  if (port === undefined) return Promise.resolve(failure(`couldn't find port: ${action.port}`));
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const host = action.host ?? target.address;
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`;
  const url = `${scheme}://${host}:${port}${path}`;
  const headers = {
    'User-Agent': 'kube-probe/1.32',
    Accept: '*/*',
    Connection: 'close',
    ...Object.fromEntries((action.httpHeaders ?? []).map(({ name, value }) => [name, value])),
  };
  return new Promise((resolve) => {
    const send = scheme === 'https' ? httpsRequest : httpRequest;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = ended ? AbortSignal.any([timeout, ended]) : timeout;
    // As a kubelet: certificates are not checked, and redirects count as success.
    const request = send(url, { headers, signal, rejectUnauthorized: false }, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      const isSuccess = statusCode >= 200 && statusCode < 400;
      resolve(isSuccess ? success : failure(`HTTP probe failed with statuscode: ${statusCode}`));
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      const why = signal.aborted
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : dialFailure(host, port, error);
      resolve(failure(`Get "${url}": ${why}`));
    });
    request.end();
  });
}

function dialTcp(host: string, port: number, timeoutMs: number): Promise<HandlerResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const finish = (result: HandlerResult) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => finish(success));
    socket.once('timeout', () => finish(failure(`dial tcp ${host}:${port}: i/o timeout`)));
    socket.once('error', (error: NodeJS.ErrnoException) => finish(failure(dialFailure(host, port, error))));
  });
}

/** As Go's net package words it. */
function dialFailure(host: string, port: number, error: NodeJS.ErrnoException): string {
  const words: Record<string, string> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ECONNRESET: 'read: connection reset by peer',
  };
  const known = words[error.code ?? ''];
  return known ? `dial tcp ${host}:${port}: ${known}` : error.message;
}
