import { startEchoServer } from './echo-server.ts';

const host = process.env.HOST ?? '0.0.0.0';
const port = Number(process.env.PORT ?? 4444);

try {
  const server = await startEchoServer(host, port, (line) => console.log(line));
  console.log(`UDP Echo Server listening on ${server.address}:${server.port}`);
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      console.log(`${signal}: answering what has arrived, then stopping`);
      void server.stop().then(() => process.exit(0));
    });
  }
} catch (error) {
  console.error(`Error listening on ${host}:${port}:`, (error as Error).message);
  process.exitCode = 1;
}
