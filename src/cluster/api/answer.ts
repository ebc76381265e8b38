/** Writes answers. */

import type { ServerResponse } from 'node:http';
import { failureStatus } from './status.ts';

export function sendJson(
  response: ServerResponse,
  code: number,
  body: unknown,
  {
    contentType = 'application/json',
    warnings = [],
  }: { contentType?: string; warnings?: readonly string[] } = {},
): void {
  sendText(response, code, JSON.stringify(body), contentType, warnings);
}

export function sendText(
  response: ServerResponse,
  code: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
  warnings: readonly string[] = [],
): void {
  if (warnings.length > 0) response.setHeader('warning', warnings.map(warningHeader));
  response.writeHead(code, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-cache, private',
  });
  response.end(text);
}

/** RFC 7234 5.5, as the API server sends it. */
function warningHeader(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&');
  return `299 - "${clean}"`;
}

/** Answers a request that failed; cuts the connection where an answer has begun. Returns the answer's code. */
export function sendFailure(response: ServerResponse, error: unknown): number {
  const status = failureStatus(error);
  const code = status.code ?? 500;
  if (response.headersSent) {
    response.destroy();
    return code;
  }
  const retry = status.details?.retryAfterSeconds;
  if (retry !== undefined) response.setHeader('retry-after', String(retry));
  sendJson(response, code, status);
  return code;
}
