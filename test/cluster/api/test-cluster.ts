import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ApiServer,
  type ApiServerOptions,
  createApiServer,
  createStore,
  registerNode,
  type Store,
  startControllers,
  writeKubeconfig,
} from '../../../src/cluster/index.ts';
import { type Pod, pods } from '../../../src/kubernetes/index.ts';

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Binary {
  readonly name: string;
  readonly path: string;
}

const own: Binary = { name: 'kubectl', path: 'kubectl' };

export const hasKubectl = spawnSync(own.path, ['version', '--client']).status === 0;

/** Those of KUBECTL_VERSIONS_DIR: one executable `kubectl` a folder. */
function otherVersions(): Binary[] {
  const directory = process.env.KUBECTL_VERSIONS_DIR;
  if (!directory) return [];
  return readdirSync(directory)
    .map((name) => ({ name, path: join(directory, name, 'kubectl') }))
    .filter(({ path }) => existsSync(path));
}

/** kubectl of this machine, there or not, so that its tests are named where they are skipped; and other versions. */
export const kubectlBinaries: readonly Binary[] = [own, ...otherVersions()];

/** An API server over a store of its own, with controllers, a node and a kubelet that only pretends. */
export class TestCluster {
  readonly home = mkdtempSync(join(tmpdir(), 'sluice-api-'));
  readonly store: Store;
  /** Of the API server and of the pretended kubelet. */
  readonly faults: unknown[] = [];
  readonly api: ApiServer;
  url = '';
  #stopControllers: (() => Promise<void>) | undefined;
  #kubelet: FakeKubelet | undefined;

  constructor(options: Partial<ApiServerOptions> = {}) {
    const onError = (error: unknown) => void this.faults.push(error);
    this.store = options.store ?? createStore();
    this.api = createApiServer({ onError, ...options, store: this.store });
  }

  /** `controllers`: whether Deployments get pods; `kubelet`: whether pods seem to run. */
  async start({ controllers = true, kubelet = true } = {}): Promise<this> {
    const { url, kubeconfig } = await this.api.listen();
    this.url = url;
    writeKubeconfig(this.kubeconfig, kubeconfig);
    if (!controllers) return this;
    await registerNode(this.store, {
      name: 'sluice',
      internalIp: '127.0.0.1',
      podCidr: '10.244.0.0/24',
      kubeletVersion: 'v1.32.0',
      capacity: { cpu: '2', memory: '4Gi', pods: '110' },
    });
    const running = startControllers(this.store, {
      // They try again: a type that has just gone, for instance, is one of the things they tell.
      onError: () => undefined,
    });
    this.#stopControllers = () => running.stop();
    if (kubelet) this.#kubelet = new FakeKubelet(this.store, (error) => void this.faults.push(error));
    return this;
  }

  async stop(): Promise<void> {
    this.#kubelet?.stop();
    await this.#stopControllers?.();
    await this.api.close();
    await this.store.close();
    rmSync(this.home, { recursive: true });
  }

  get kubeconfig(): string {
    return join(this.home, 'kubeconfig');
  }

  get environment(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.home,
      KUBECONFIG: this.kubeconfig,
      KUBECTL_KUBERC: 'false',
      NO_PROXY: '*',
    };
  }

  /** Runs kubectl with words split at spaces; quoted parts stay together. */
  async kubectl(command: string, { input = '', binary = 'kubectl' } = {}): Promise<KubectlResult> {
    return this.run(binary, splitWords(command), input);
  }

  run(program: string, words: readonly string[], input = ''): Promise<KubectlResult> {
    return new Promise((resolve) => {
      const options = { env: this.environment, maxBuffer: 64 * 2 ** 20, timeout: 60_000 };
      const child = execFile(program, [...words], options, (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
        resolve({ code, stdout, stderr });
      });
      child.stdin?.end(input);
    });
  }

  /** A line of bash, with kubectl on its PATH. */
  bash(line: string): Promise<KubectlResult> {
    return this.run('bash', ['-c', line]);
  }

  /** The first lines of a command that goes on printing; ends it then. */
  lines(command: string, count: number, { binary = 'kubectl', input = '' } = {}): Promise<string[]> {
    const child = spawn(binary, splitWords(command), {
      env: this.environment,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // It stays open, as a terminal's would.
    child.stdin.write(input);
    return new Promise((resolve, reject) => {
      let [text, errors] = ['', ''];
      child.stderr.on('data', (chunk: Buffer) => {
        errors += chunk.toString();
      });
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const lines = text.split('\n');
        if (lines.length <= count) return;
        child.kill();
        resolve(lines.slice(0, count));
      });
      child.once('close', () => reject(new Error(`kubectl ${command} ended early: ${text}${errors}`)));
    });
  }

  /** What kubectl prints; throws where it fails. */
  async ok(command: string, options: { input?: string; binary?: string } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(command, options);
    if (code !== 0) throw new Error(`kubectl ${command} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** The error that kubectl prints; throws where it succeeds. */
  async refusal(command: string, options: { input?: string; binary?: string } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(command, options);
    if (code === 0) throw new Error(`kubectl ${command} succeeded: ${stdout}`);
    return stderr.trim();
  }

  file(name: string, text: string): string {
    const path = join(this.home, name);
    writeFileSync(path, text);
    return path;
  }
}

export function splitWords(text: string): string[] {
  return [...text.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replace(
      /'([^']*)'|"([^"]*)"/g,
      (_whole, single: string | undefined, double: string | undefined) => single ?? double ?? '',
    ),
  );
}

/** The columns of a table as kubectl prints it, row by row, without the heading. */
export function rowsOf(table: string): string[][] {
  return table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s{2,}/).map((cell) => cell.trim()));
}

/** Every bound pod runs at once, every deleted one is gone at once. */
class FakeKubelet {
  readonly #subscription: { close(): void };
  readonly #store: Store;
  #nextAddress = 2;
  #stopped = false;

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store;
    this.#subscription = store.subscribe(pods, {
      onEvent: ({ type, object }) => {
        if (type !== 'DELETED') setImmediate(() => void this.#follow(object).catch(onError));
      },
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#subscription.close();
  }

  async #follow({ metadata: { namespace, name }, spec }: Pod): Promise<void> {
    const pod = this.#stopped ? undefined : this.#store.peek(pods, namespace, name);
    if (!pod || !spec.nodeName) return;
    if (pod.metadata.deletionTimestamp) {
      await this.#store.delete(pods, namespace, name, { gracePeriodSeconds: 0 });
    } else if (pod.status?.phase !== 'Running') {
      const address = `10.244.0.${this.#nextAddress++}`;
      await this.#store.modify(
        pods,
        namespace,
        name,
        (current) => ({ ...current, status: running(current, address) }),
        {
          subresource: 'status',
        },
      );
    }
  }
}

function running(pod: Pod, podIP: string): NonNullable<Pod['status']> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'];
  return {
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    hostIP: '127.0.0.1',
    startTime: now,
    qosClass: 'BestEffort',
    conditions: conditions.map((type) => ({ type, status: 'True' as const, lastTransitionTime: now })),
    containerStatuses: pod.spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: '',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: now } },
    })),
  };
}
