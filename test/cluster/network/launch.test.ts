import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { launchInNamespaces, NamespacesUnavailableError } from '../../../src/cluster/index.ts';
import { hasNamespaces, networkModes } from './cluster.ts';

const podsModule = new URL('pods.mjs', import.meta.url).pathname;
const launcherModule = new URL('launcher.mjs', import.meta.url).pathname;
const open: ChildProcess[] = [];
afterEach(() => {
  for (const child of open.splice(0)) child.kill('SIGKILL');
});

/** Processes of this machine whose command line ends with the mark. */
function processesMarked(mark: string): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').endsWith(`\0${mark}\0`);
    } catch {
      return false;
    }
  }).length;
}

async function startLauncher(mode: string, asUser: readonly string[] = []) {
  const mark = `9${randomInt(1e9)}`;
  const [program, ...args] = [...asUser, process.execPath, launcherModule, mark, mode];
  const launcher = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  open.push(launcher);
  const [line] = (await once(createInterface({ input: launcher.stdout }), 'line')) as [string];
  return { launcher, mark, ...(JSON.parse(line) as { child: number; why: string }) };
}

describe.each(networkModes)('a cluster launched in mode %s', (mode) => {
  it('says why it is that mode', async () => {
    const {
      child,
      mode: chosen,
      why,
    } = await launchInNamespaces({ modulePath: podsModule, mode, args: [mode] });
    open.push(child);
    expect(chosen).toBe(mode);
    expect(why).toMatch(
      mode === 'namespaces' ? /own network namespace.*10\.244\.0\.0\/16/ : /listen on \$POD_IP/,
    );
  });

  it('leaves no process when its launcher is killed', async () => {
    const { launcher, mark } = await startLauncher(mode);
    await vi.waitFor(() => expect(processesMarked(mark)).toBe(3), 10_000);
    launcher.kill('SIGKILL');
    await vi.waitFor(() => expect(processesMarked(mark)).toBe(0), 10_000);
  });

  it('leaves no process when it is killed itself', async () => {
    const { child, mark } = await startLauncher(mode);
    process.kill(child, 'SIGKILL');
    await vi.waitFor(() => expect(processesMarked(mark)).toBe(0), 10_000);
  });
});

const asNobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
const canBecomeNobody =
  spawnSync('setpriv', [...asNobody.slice(1), 'test', '-r', launcherModule]).status === 0;

describe.skipIf(!canBecomeNobody || !hasNamespaces)(
  'a cluster of an ordinary user (needs root to become one)',
  () => {
    it('has namespaces, and leaves no process when its launcher is killed', async () => {
      const { launcher, mark } = await startLauncher('namespaces', asNobody);
      await vi.waitFor(() => expect(processesMarked(mark)).toBe(3), 10_000);
      launcher.kill('SIGKILL');
      await vi.waitFor(() => expect(processesMarked(mark)).toBe(0), 10_000);
    });
  },
);

/** A machine like one where user namespaces are switched off: a namespace that allows no more, and no capabilities. */
const withoutUserNamespaces = [
  'unshare',
  '--user',
  '--map-root-user',
  'sh',
  '-c',
  'echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all "$@"',
  'sh',
];

describe.skipIf(!hasNamespaces)('where user namespaces are not allowed (needs unshare and setpriv)', () => {
  function launchThere(mode: string) {
    const script = `
      import { launchInNamespaces } from ${JSON.stringify(new URL('../../../dist/cluster/index.js', import.meta.url).pathname)};
      try {
        const { child, mode, why } = await launchInNamespaces({ modulePath: ${JSON.stringify(podsModule)}, mode: '${mode}', args: ['loopback'] });
        child.kill('SIGKILL');
        console.log(JSON.stringify({ mode, why }));
      } catch (error) {
        console.log(JSON.stringify({ error: error.name, why: error.message }));
      }`;
    const [program, ...args] = [
      ...withoutUserNamespaces,
      process.execPath,
      '--input-type=module',
      '-e',
      script,
    ];
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    return JSON.parse(stdout || JSON.stringify({ error: stderr })) as Record<string, string>;
  }

  it('takes loopback addresses in mode auto, and says why', () => {
    const { mode, why } = launchThere('auto');
    expect(mode).toBe('loopback');
    expect(why).toMatch(/^user namespaces are not allowed here \(.*\): pods share 127\.0\.0\.0\/8/);
  });

  it('refuses mode namespaces with a typed error', () => {
    expect(launchThere('namespaces')).toEqual({
      error: NamespacesUnavailableError.name,
      why: expect.stringMatching(/^user namespaces are not allowed here \(unshare: .*\)$/),
    });
  });
});
