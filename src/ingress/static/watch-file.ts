/** Tells when a file's text changes, however it is replaced: written over, renamed, or by a ConfigMap's symbolic link. */

import { readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Events come in bursts, and the text may be half written at the first. */
const settleMs = 100;

/** Gives the way to end it. Where the directory cannot be watched, `onError` is told and nothing more happens. */
export function watchConfigurationFile(
  path: string,
  onChange: () => void,
  onError: (error: unknown) => void,
): () => void {
  const read = () => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  };
  let text = read();
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const next = read();
    if (next === undefined || next === text) return;
    text = next;
    onChange();
  };
  try {
    // The directory, because a file that is replaced is another file. A ConfigMap swaps a link in the same directory.
    const watcher = watch(dirname(path), { persistent: false }, () => {
      clearTimeout(timer);
      timer = setTimeout(look, settleMs);
    });
    watcher.on('error', onError);
    return () => {
      clearTimeout(timer);
      watcher.close();
    };
  } catch (error) {
    onError(error);
    return () => {};
  }
}
