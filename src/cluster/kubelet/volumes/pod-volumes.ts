/** A pod's volumes on this machine, and where its containers see them. */

import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { namespacedName, type ObjectApi } from '../../../kubernetes/index.ts';
import type { Mount } from '../../network/index.ts';
import { type PodFacts, podHostname } from '../environment.ts';
import type { PodContainer, Volume } from '../pod-spec.ts';
import { volumeFiles } from './content.ts';

/** A volume cannot be made; worded for a FailedMount event. */
export class VolumeError extends Error {
  readonly volume: string;

  constructor(volume: string, message: string) {
    super(message);
    this.name = 'VolumeError';
    this.volume = volume;
  }
}

/** How programs in pods find services by name. */
export interface PodDns {
  /** A name server that pods can reach. */
  readonly server: string;
  /** `cluster.local` when absent. */
  readonly domain?: string;
}

/** One of a container's `volumeMounts`. */
export interface Placement {
  readonly volume: string;
  readonly mount: Mount;
}

const offered = 'emptyDir, configMap, secret, downwardAPI, projected and hostPath are';

export class PodVolumes {
  private readonly api: ObjectApi;
  private readonly facts: PodFacts;
  private readonly directory: string;
  private readonly dns: PodDns | undefined;

  /** The volumes' files go below `directory`, which is the pod's own. */
  constructor(api: ObjectApi, facts: PodFacts, directory: string, dns: PodDns | undefined) {
    this.api = api;
    this.facts = facts;
    this.directory = directory;
    this.dns = dns;
  }

  /** Makes every volume, or brings what it holds up to date. Throws `VolumeError`. */
  async setUp(): Promise<void> {
    for (const volume of this.volumes) {
      try {
        await this.setUpVolume(volume);
      } catch (error) {
        throw new VolumeError(volume.name, error instanceof Error ? error.message : String(error));
      }
    }
    if (this.dns) await this.writeNetworkFiles(this.dns);
  }

  /** Whether a volume is filled from the object, by its kind and `namespace/name`. */
  uses(kind: 'ConfigMap' | 'Secret', name: string): boolean {
    const { namespace } = this.facts.pod.metadata;
    const sources = this.volumes.flatMap(({ configMap, secret, projected }) => [
      { configMap, secret: secret && { name: secret.secretName } },
      ...(projected?.sources ?? []),
    ]);
    return sources.some((source) => {
      const reference = kind === 'ConfigMap' ? source.configMap : source.secret;
      return reference !== undefined && `${namespace}/${reference.name}` === name;
    });
  }

  /** Where the container's `volumeMounts` lead. */
  placements({ volumeMounts = [] }: PodContainer): Placement[] {
    return volumeMounts.flatMap(({ name, mountPath, subPath, readOnly }) => {
      const volume = this.volumes.find((candidate) => candidate.name === name);
      if (!volume) return [];
      const source = join(this.sourceOf(volume), normalize(`/${subPath ?? ''}`));
      const mount = { source, target: mountPath, readOnly: readOnly === true || isFilled(volume) };
      return [{ volume: name, mount }];
    });
  }

  /** What the container sees besides this machine's files; what lies in another comes after it. */
  mounts(container: PodContainer): Mount[] {
    const own = this.placements(container).map(({ mount }) => mount);
    const taken = new Set(own.map(({ target }) => target));
    const network = this.dns ? ['resolv.conf', 'hosts'] : [];
    const files = network
      .map((name) => ({ source: join(this.directory, name), target: `/etc/${name}`, readOnly: false }))
      .filter(({ target }) => !taken.has(target));
    return [...own, ...files].sort((left, right) => depth(left.target) - depth(right.target));
  }

  /** Takes the volumes off this machine. */
  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  private get volumes(): readonly Volume[] {
    return this.facts.pod.spec.volumes ?? [];
  }

  private sourceOf(volume: Volume): string {
    return volume.hostPath ? volume.hostPath.path : join(this.directory, 'volumes', volume.name);
  }

  private async setUpVolume(volume: Volume): Promise<void> {
    const source = this.sourceOf(volume);
    if (volume.hostPath) {
      await checkHostPath(source, volume.hostPath.type);
      return;
    }
    const files = volume.emptyDir ? [] : await volumeFiles(this.api, this.facts, volume);
    if (!files) {
      const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'this kind';
      throw new Error(`volumes of ${kind} are not offered here; ${offered}`);
    }
    await mkdir(source, { recursive: true });
    for (const { path, content, mode } of files)
      await writeIfChanged(join(source, normalize(`/${path}`)), content, mode);
    await this.makeSubPaths(volume, source);
  }

  /** A subPath that is not there becomes a directory, as a kubelet makes it. */
  private async makeSubPaths(volume: Volume, source: string): Promise<void> {
    const { containers, initContainers = [] } = this.facts.pod.spec;
    for (const { volumeMounts = [] } of [...initContainers, ...containers]) {
      for (const { name, subPath } of volumeMounts) {
        if (name !== volume.name || !subPath) continue;
        const path = join(source, normalize(`/${subPath}`));
        if (!(await exists(path))) await mkdir(path, { recursive: true });
      }
    }
  }

  private async writeNetworkFiles({ server, domain = 'cluster.local' }: PodDns): Promise<void> {
    const { pod, podIP } = this.facts;
    const search = `${pod.metadata.namespace}.svc.${domain} svc.${domain} ${domain}`;
    const resolver = `search ${search}\nnameserver ${server}\noptions ndots:5\n`;
    const hosts = `# ${namespacedName(pod)}\n127.0.0.1\tlocalhost\n::1\tlocalhost\n${podIP}\t${podHostname(pod)}\n`;
    await mkdir(this.directory, { recursive: true });
    await writeIfChanged(join(this.directory, 'resolv.conf'), Buffer.from(resolver), 0o644);
    await writeIfChanged(join(this.directory, 'hosts'), Buffer.from(hosts), 0o644);
  }
}

/** Programs see a change whole or not at all: the new file takes the old one's place. */
async function writeIfChanged(path: string, content: Buffer, mode: number): Promise<void> {
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(content)) return;
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  await writeFile(fresh, content);
  await chmod(fresh, mode);
  await rename(fresh, path);
}

/** Kubernetes mounts what it fills read-only. */
function isFilled({ configMap, secret, downwardAPI, projected }: Volume): boolean {
  return (configMap ?? secret ?? downwardAPI ?? projected) !== undefined;
}

function depth(path: string): number {
  return normalize(path).split('/').length;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** https://kubernetes.io/docs/concepts/storage/volumes/#hostpath-volume-types */
async function checkHostPath(path: string, type = ''): Promise<void> {
  const stats = await stat(path).catch(() => undefined);
  if (type === 'DirectoryOrCreate' && !stats) {
    await mkdir(path, { recursive: true });
    return;
  }
  if (type === 'FileOrCreate' && !stats) {
    await writeFile(path, '');
    return;
  }
  if (type.startsWith('Directory') && !stats?.isDirectory()) {
    throw new Error(`hostPath type check failed: ${path} is not a directory`);
  }
  if (type.startsWith('File') && !stats?.isFile()) {
    throw new Error(`hostPath type check failed: ${path} is not a file`);
  }
  if (!stats) throw new Error(`${path} is not on this machine`);
}
