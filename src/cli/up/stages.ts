import { note, styled } from '../output.ts';

/** The lines that say how far a start is. */
export interface Stages {
  /** One stage is done; the time is that since the stage before. */
  done(name: string, detail: string): void;
  failed(name: string, detail: string): void;
  /** An intermediate word on a stage that takes long. */
  progress(name: string, detail: string): void;
  finish(isWhole: boolean): void;
}

export function startStages(): Stages {
  const startedMs = performance.now();
  let lastMs = startedMs;
  let lastProgress = '';
  const line = (mark: string, name: string, detail: string) => {
    const nowMs = performance.now();
    const took = styled('dim', `${Math.round(nowMs - lastMs)} ms`);
    lastMs = nowMs;
    note(`${mark} ${name.padEnd(8)} ${detail}  ${took}`);
  };
  return {
    done: (name, detail) => line(styled('green', '√'), name, detail),
    failed: (name, detail) => line(styled('red', '×'), name, detail),
    progress(name, detail) {
      if (lastProgress === detail) return;
      lastProgress = detail;
      note(styled('dim', `… ${name.padEnd(8)} ${detail}`));
    },
    finish(isWhole) {
      const took = `${Math.round(performance.now() - startedMs)} ms`;
      note(
        isWhole
          ? styled('green', `ready in ${took}; edits are followed; Ctrl-C stops everything`)
          : styled('red', `up after ${took}, with broken paths; edits are followed; Ctrl-C stops everything`),
      );
    },
  };
}
