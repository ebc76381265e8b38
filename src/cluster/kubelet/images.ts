/** Which program of this machine stands for an image. */

import type { Container } from '../../kubernetes/index.ts';

export interface ImageProgram {
  /** What the image's ENTRYPOINT is to a real container: a container's `args` follow it, its `command` replaces it. */
  readonly command: readonly string[];
  /** Where it runs, unless the container says where. Absolute. */
  readonly workingDir?: string;
  /** As the image's ENV: the container's own variables win. */
  readonly env?: Readonly<Record<string, string>>;
}

export type ImagePrograms = Readonly<Record<string, ImageProgram>>;

/** The most specific entry wins: with digest or tag, then without; Docker Hub's prefix may be left out in either. */
export function findImageProgram(images: ImagePrograms, image: string): ImageProgram | undefined {
  const byName = new Map(Object.entries(images).map(([name, program]) => [withoutHub(name), program]));
  return spellings(image)
    .map((name) => byName.get(name))
    .find((program) => program !== undefined);
}

function spellings(image: string): string[] {
  const name = withoutHub(image);
  const undigested = name.replace(/@.*$/, '');
  // A colon before the last slash belongs to a registry's port.
  const untagged = undigested.replace(/:[^/:]*$/, '');
  const latest = untagged === undigested ? `${untagged}:latest` : undigested;
  return [name, undigested, latest, untagged];
}

function withoutHub(image: string): string {
  return image.replace(/^(docker\.io\/)(library\/)?/, '');
}

/** What a user is told whose image has no program. */
export function unmappedImageAdvice({ image }: Pick<Container, 'image'>, settingsFile: string): string {
  const name = withoutHub(image)
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '');
  return `no program stands for this image on this machine; say which in ${settingsFile}: images: { ${name}: { command: [PROGRAM, ARGUMENT] } }`;
}
