/** A bearer token in a file that is replaced now and then, as kubelet does with a pod's own. */

import { readFile } from 'node:fs/promises';
import { ClusterAccessError, type Credentials, type Identity, type RequestHeaders } from './access.ts';

/** client-go's period: bound tokens live for an hour and are replaced well before. */
const rereadMs = 60_000;

/** Read again every minute and after a refusal. A file that has gone leaves the last token in use. */
export function tokenFileCredentials(
  path: string,
  headers: RequestHeaders = {},
  now: () => number = Date.now,
): Credentials {
  let token: string | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  const read = async (): Promise<string> => {
    try {
      const text = (await readFile(path, 'utf8')).trim();
      if (text === '') throw new ClusterAccessError(`the token file ${path} is empty`);
      return text;
    } catch (cause) {
      if (token !== undefined) return token;
      throw cause instanceof ClusterAccessError
        ? cause
        : new ClusterAccessError(`the token file ${path} cannot be read`, { cause });
    }
  };
  return {
    async current(): Promise<Identity> {
      if (token === undefined || now() - readAt >= rereadMs) {
        token = await read();
        readAt = now();
      }
      return { headers: { ...headers, authorization: `Bearer ${token}` } };
    },
    discard() {
      readAt = Number.NEGATIVE_INFINITY;
    },
  };
}
