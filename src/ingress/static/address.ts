/** `[host]:port[/tcp|/udp]`, the protocol in any case, tcp when absent. A string says what is wrong. */
export function parseEntryPointAddress(
  text: string,
): { host: string; port: number; protocol: 'tcp' | 'udp' } | string {
  const [address = '', protocolText = 'tcp'] = splitOnce(text, '/');
  const protocol = protocolText.toLowerCase();
  if (protocol !== 'tcp' && protocol !== 'udp') return `invalid protocol: ${protocolText}`;
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65535) return `invalid address: ${JSON.stringify(text)}`;
  return { host: match[1] ?? match[2] ?? '', port, protocol };
}

function splitOnce(text: string, separator: string): string[] {
  const cut = text.indexOf(separator);
  return cut < 0 ? [text] : [text.slice(0, cut), text.slice(cut + separator.length)];
}
