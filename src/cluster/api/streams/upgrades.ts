/** Requests that leave HTTP: exec, attach and port-forward. */

import { describeValue, isObject, type KubeObject } from '../../../kubernetes/index.ts';
import type { ApiContext } from '../context.ts';
import { getObject } from '../reads.ts';
import { parseResourcePath, type ResourcePath } from '../request.ts';
import { badRequest, unknownPath } from '../status.ts';
import { chooseContainer, requireStreams } from './logs.ts';
import { servePortForward } from './port-forward.ts';
import { readWantedStreams, serveRemoteCommand, type Upgrade } from './remote-command.ts';

/** Resolves when the streams are done. Throws as long as nothing is answered. */
export async function serveUpgrade(context: ApiContext, upgrade: Upgrade, url: URL): Promise<void> {
  const path = parseResourcePath(url.pathname);
  const pods = context.catalog.find('', 'v1', 'pods');
  if (path?.plural !== 'pods' || path.group !== '' || path.namespace === undefined || !pods)
    throw unknownPath();
  const pod = getObject(context, pods, path);
  switch (path.subresource) {
    case 'exec':
      return serveExec(context, upgrade, url.searchParams, path, pod);
    case 'attach':
      return serveAttach(context, upgrade, url.searchParams, path, pod);
    case 'portforward':
      requireRunning(pod);
      return servePortForward(context, upgrade, path);
    default:
      throw unknownPath();
  }
}

function requireRunning(pod: KubeObject): void {
  const phase = isObject(pod.status) ? pod.status.phase : undefined;
  if (phase === 'Running') return;
  throw badRequest(
    `unable to forward port because pod is not running. Current status=${describeValue(phase)}`,
  );
}

async function serveExec(
  context: ApiContext,
  upgrade: Upgrade,
  query: URLSearchParams,
  path: ResourcePath,
  pod: KubeObject,
): Promise<void> {
  const command = query.getAll('command');
  if (command.length === 0) throw badRequest('you must specify at least 1 command for the container');
  const container = chooseContainer(pod, query.get('container') ?? '');
  const streams = requireStreams(context.streams);
  const wanted = readWantedStreams(query);
  await serveRemoteCommand(upgrade, wanted, (process) =>
    streams.exec(path.namespace ?? '', path.name ?? '', { ...process, container, command, tty: wanted.tty }),
  );
}

async function serveAttach(
  context: ApiContext,
  upgrade: Upgrade,
  query: URLSearchParams,
  path: ResourcePath,
  pod: KubeObject,
): Promise<void> {
  const container = chooseContainer(pod, query.get('container') ?? '');
  const streams = requireStreams(context.streams);
  const wanted = readWantedStreams(query);
  await serveRemoteCommand(upgrade, wanted, (process) =>
    streams.attach(path.namespace ?? '', path.name ?? '', { ...process, container, tty: wanted.tty }),
  );
}
