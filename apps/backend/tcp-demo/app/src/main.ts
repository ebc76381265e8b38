import { startEchoServer } from './echo-server.ts';

const host = process.env.HOST ?? '0.0.0.0';
const port = Number(process.env.PORT ?? 5555);

try {
  const server = await startEchoServer(host, port, (line) => console.log(line));
  console.log(`TCP Echo Server listening on ${server.address}:${server.port}`);
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      const stopped = server.stop();
      console.log(`${signal}: letting connections come to their end, then stopping`);
      void stopped.then(() => process.exit(0));
    });
  }
} catch (error) {
  console.error(`Error listening on ${host}:${port}:`, (error as Error).message);
  process.exitCode = 1;
}
