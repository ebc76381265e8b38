/** Where a probe or a hook is carried out. */

import type { PodNetwork, PodProcess } from '../../network/index.ts';
import type { PodContainer } from '../pod-spec.ts';

export interface HandlerTarget {
  readonly network: PodNetwork;
  readonly networkName: string;
  readonly address: string;
  readonly container: PodContainer;
  readonly process: PodProcess;
  /** The container's, for commands that run in it. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
}

/** What came of it; `output` says why where it failed. */
export interface HandlerResult {
  readonly isSuccess: boolean;
  readonly output: string;
}

/** A container port's number or name, as a number. Undefined for a name that the container does not have. */
export function portNumber({ ports = [] }: PodContainer, port: number | string): number | undefined {
  if (typeof port === 'number') return port;
  if (/^\d+$/.test(port)) return Number(port);
  return ports.find(({ name }) => name === port)?.containerPort;
}
