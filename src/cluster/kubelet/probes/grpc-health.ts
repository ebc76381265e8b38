/**
 * Asks a gRPC server for its health, by the protocol of https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 * and with as much of protobuf and HTTP/2 as that takes.
 */

import { connect, type IncomingHttpHeaders } from 'node:http2';
import type { HandlerResult } from './target.ts';

/** HealthCheckResponse.ServingStatus. */
const statuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** Never rejects. */
export function checkGrpcHealth(
  host: string,
  port: number,
  service: string,
  timeoutMs: number,
): Promise<HandlerResult> {
  return new Promise((resolve) => {
    const session = connect(`http://${host}:${port}`);
    let grpcStatus = '';
    const finish = (isSuccess: boolean, output: string) => {
      clearTimeout(timer);
      session.destroy();
      resolve({ isSuccess, output });
    };
    const unreachable = () =>
      finish(false, `timeout: failed to connect service "${host}:${port}" within ${timeoutMs / 1000}s`);
    const timer = setTimeout(unreachable, timeoutMs);
    session.on('error', unreachable);
    const request = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const answer: Buffer[] = [];
    const noteStatus = (headers: IncomingHttpHeaders) => {
      const status = headers['grpc-status'];
      if (typeof status === 'string') grpcStatus = status;
    };
    request.on('response', noteStatus);
    request.on('trailers', noteStatus);
    request.on('data', (chunk: Buffer) => answer.push(chunk));
    request.on('error', unreachable);
    request.on('end', () => {
      const serving = servingStatus(Buffer.concat(answer));
      if (serving === 'SERVING') finish(true, '');
      else if (serving) finish(false, `service unhealthy (responded with "${serving}")`);
      else if (grpcStatus === '12')
        finish(false, 'this server does not implement the grpc health protocol (grpc.health.v1.Health)');
      else finish(false, `rpc error: code = ${grpcStatus || 'unknown'}`);
    });
    request.end(frame(service));
  });
}

/** A length-prefixed HealthCheckRequest: field 1, the service's name. */
function frame(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Field 1 of a HealthCheckResponse; a status of 0 is left out. Undefined where there is no message. */
function servingStatus(answer: Buffer): string | undefined {
  if (answer.length < 5) return undefined;
  const message = answer.subarray(5, 5 + answer.readUInt32BE(1));
  return statuses[message[0] === 0x08 ? (message[1] ?? 0) : 0];
}
