import { describe, expect, it } from 'vitest';
import { networkModes } from '../network/cluster.ts';
import { images, isReady, script, shell, startNode } from './node.ts';

interface Ended {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Answers each TCP connection's text with the text in capitals. */
const shouter = (host: string) => `
  require('net').createServer((socket) => socket.on('data', (text) => socket.write(String(text).toUpperCase())))
    .listen(8080, ${host});`;

describe.each(networkModes)('a command run in a container in mode %s', (mode) => {
  it('has its environment and directory, takes input, and gives outputs and exit code', async () => {
    const node = await startNode(mode, { images });
    const env = [{ name: 'GREETING', value: 'hello' }];
    await node.createPod('app', { containers: [shell('sleep 1000', { env, workingDir: '/usr' })] });
    await node.until('app', isReady);
    const command = ['sh', '-c', 'read name; echo "$GREETING $name in $(pwd)"; echo bad >&2; exit 3'];
    expect(await node.call('exec', { name: 'app', command, input: 'you\n' })).toEqual({
      exitCode: 3,
      stdout: 'hello you in /usr\n',
      stderr: 'bad\n',
    });
  });

  it('may end without reading its input', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('app', { containers: [shell('sleep 1000')] });
    await node.until('app', isReady);
    const input = 'x'.repeat(1_000_000);
    expect(await node.call('exec', { name: 'app', command: ['true'], input })).toMatchObject({ exitCode: 0 });
  });

  it('runs in a terminal where asked', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('app', { containers: [shell('sleep 1000')] });
    await node.until('app', isReady);
    const command = ['sh', '-c', "test -t 0 && test -t 1 && echo 'a terminal'; exit 5"];
    const ended = await node.call<Ended>('exec', { name: 'app', command, tty: true, input: '' });
    expect(ended).toMatchObject({ exitCode: 5, stdout: expect.stringContaining('a terminal\r\n') });
  });

  it('is refused in the words of the real one', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('app', { containers: [shell('sleep 1000')] });
    await node.createPod('done', { restartPolicy: 'Never', containers: [shell('true')] });
    await node.until('app', isReady);
    await node.until('done', ({ status }) => status?.phase === 'Succeeded');
    await expect(node.call('exec', { name: 'app', command: ['no-such-program'] })).rejects.toThrow(
      'exec: "no-such-program": executable file not found in $PATH',
    );
    await expect(node.call('exec', { name: 'done', command: ['true'] })).rejects.toThrow(
      'cannot exec into a container in a completed pod; current phase is Succeeded',
    );
    await expect(node.call('exec', { name: 'none', command: ['true'] })).rejects.toThrow(
      'pods "none" not found',
    );
  });
});

describe.each(networkModes)('a port of a pod in mode %s', (mode) => {
  it('is reached', async () => {
    const node = await startNode(mode, { images });
    const ports = [{ containerPort: 8080 }];
    await node.createPod('app', { containers: [script(shouter('process.env.HOST'), { ports })] });
    await node.until('app', isReady);
    expect(await node.call('dial', { name: 'app', port: 8080, text: 'hello' })).toBe('HELLO');
  });

  it('gives the connection error where nobody listens', async () => {
    const node = await startNode(mode, { images });
    await node.createPod('app', { containers: [shell('sleep 1000')] });
    await node.until('app', isReady);
    await expect(node.call('dial', { name: 'app', port: 8080, text: 'hello' })).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});

describe.skipIf(!networkModes.includes('namespaces'))(
  "a port of a pod's own loopback interface (needs unshare)",
  () => {
    it('is reached too', async () => {
      const node = await startNode('namespaces', { images });
      await node.createPod('app', {
        containers: [script(`${shouter("'127.0.0.1', () => console.log('up')")}`)],
      });
      await node.until('app', isReady);
      const following = node.call('followLogs', { name: 'app' }).catch(() => undefined);
      await node.untilFollowed('up');
      expect(await node.call('dial', { name: 'app', port: 8080, text: 'hello' })).toBe('HELLO');
      await node.kill();
      await following;
    });
  },
);
