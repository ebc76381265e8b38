import type { RemoteInfo } from 'node:dgram';

/** A datagram can hold 65,507 bytes; a log line shows this many characters of it. */
const maxShownCharacters = 200;

/** One line per datagram: its length, its sender, its text with line breaks and control characters made visible. */
export function logLine(
  payload: Uint8Array,
  sender: Pick<RemoteInfo, 'address' | 'port' | 'family'>,
): string {
  const from =
    sender.family === 'IPv6' ? `[${sender.address}]:${sender.port}` : `${sender.address}:${sender.port}`;
  return `Received ${payload.length} bytes from ${from}: ${visibleText(payload)}`;
}

function visibleText(payload: Uint8Array): string {
  // A character takes at most four bytes in UTF-8: no need to decode what is not shown.
  const text = new TextDecoder().decode(payload.subarray(0, maxShownCharacters * 4));
  const cut = payload.length > maxShownCharacters * 4 || text.length > maxShownCharacters;
  const shown = text.replace(/\r?\n$/, '').slice(0, maxShownCharacters);
  const escaped = shown.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
  return cut ? `${escaped}…` : escaped;
}
