import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tcpEndReasons, tcpRefusalReasons, udpDropReasons } from '../../src/dataplane/index.ts';

/** What the rows of a page's tables are about, where that is names in code font alone. */
function namesIn(page: string): Set<string> {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  const rows = text.matchAll(/^\| (`\w+`(?:, `\w+`)*) +\|/gm);
  return new Set([...rows].flatMap(([, names = '']) => names.match(/\w+/g) ?? []));
}

describe('the documents', () => {
  it.each([
    ['udp-engine.md', udpDropReasons],
    ['tcp.md', [...tcpRefusalReasons, ...tcpEndReasons]],
  ])('explain in %s every reason that there is, and no other', (page, reasons) => {
    expect([...namesIn(page)].sort()).toEqual([...new Set(reasons)].sort());
  });
});
