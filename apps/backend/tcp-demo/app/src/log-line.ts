/** A log line shows this many characters of what a client sends first. */
const maxShownCharacters = 200;

export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** One line when a client says its first words: who it is and what they are, control characters made visible. */
export function startLine(peer: Peer, payload: Uint8Array): string {
  return `Connection from ${name(peer)} starts with: ${visibleText(payload)}`;
}

/** One line when its connection is over. */
export function endLine(peer: Peer, bytes: number): string {
  return `Connection from ${name(peer)} is over after ${bytes} bytes`;
}

function name({ address, port }: Peer): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function visibleText(payload: Uint8Array): string {
  // A character takes at most four bytes in UTF-8: no need to decode what is not shown.
  const text = new TextDecoder().decode(payload.subarray(0, maxShownCharacters * 4));
  const cut = payload.length > maxShownCharacters * 4 || text.length > maxShownCharacters;
  const shown = text.replace(/\r?\n$/, '').slice(0, maxShownCharacters);
  const escaped = shown.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
  return cut ? `${escaped}…` : escaped;
}
