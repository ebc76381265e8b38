/** What stands for pulling an image: waiting until the user names a program for it. */

import { type PodEvent, podEvents } from './events.ts';
import type { ImageProgram } from './images.ts';
import type { PodContainer } from './pod-spec.ts';
import { pause } from './timing.ts';

export interface ImageSource {
  findImage(image: string): ImageProgram | undefined;
  /** Resolves when the images' programs changed. */
  imagesChanged(): Promise<void>;
  /** What a user is told whose image has no program. */
  adviseOnImage(image: string): string;
  record(event: PodEvent): void;
}

export interface WaitingContainer {
  /** The newest. */
  container(): PodContainer;
  /** Resolves when the container's image changed. */
  imageChanged(): Promise<void>;
  /** Makes it the container's state, with an event. */
  wait(reason: string, message: string): void;
  readonly signal: AbortSignal;
}

/** How long `ErrImagePull` is shown before it becomes `ImagePullBackOff`. */
const pullErrorMs = 300;

/** Undefined when the signal aborted. */
export async function waitForImage(
  source: ImageSource,
  waiting: WaitingContainer,
): Promise<ImageProgram | undefined> {
  const { signal } = waiting;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const { image, imagePullPolicy } = waiting.container();
    const program = source.findImage(image);
    if (program) {
      source.record(podEvents.pulled(image));
      return program;
    }
    const sooner = [source.imagesChanged(), waiting.imageChanged()];
    const why = source.adviseOnImage(image);
    if (imagePullPolicy === 'Never') {
      waiting.wait('ErrImageNeverPull', neverPulled(image, why));
    } else {
      if (isFirst) source.record(podEvents.pulling(image));
      source.record(podEvents.pullFailed(image, why));
      waiting.wait('ErrImagePull', why);
      await pause(pullErrorMs, signal, ...sooner);
      if (signal.aborted || source.findImage(waiting.container().image)) continue;
      source.record(podEvents.pullBackOff(image));
      waiting.wait('ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${why}`);
    }
    await pause(Number.POSITIVE_INFINITY, signal, ...sooner);
  }
  return undefined;
}

function neverPulled(image: string, why: string): string {
  return `Container image "${image}" is not present with pull policy of Never: ${why}`;
}
