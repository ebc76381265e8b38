/** Throws where something holds that the code was written to exclude: a bug, never the user's doing. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`sluice has a bug: ${message}`);
}
