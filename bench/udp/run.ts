/** `npm run bench:udp`: the UDP engines against nginx and a C program, in one run. Prints markdown. */

import { cpus, release } from 'node:os';
import { type Flags, parseFlags, usage } from './flags.ts';
import { type Contender, contendersNamed } from './proxies.ts';
import { clientsSection, cpuSection, memorySection, rateSection, workersSection } from './sections.ts';

const sections: Readonly<
  Record<string, [title: string, run: (proxies: readonly Contender[], flags: Flags) => Promise<string>]>
> = {
  cpu: ['CPU time of the proxy, closed loop', cpuSection],
  rate: ['Highest rate without loss, and latency, 256 clients, open loop', rateSection],
  memory: ['Memory', memorySection],
  workers: ['Workers', workersSection],
  clients: ['New clients', clientsSection],
};

async function main(): Promise<void> {
  const flags = parseFlags(process.argv.slice(2));
  if (!flags) {
    console.log(usage);
    return;
  }
  const wanted = contendersNamed(flags.proxies);
  const proxies = wanted.filter(({ missing }) => missing === undefined);
  const [core] = cpus();
  console.log(
    `Node ${process.versions.node}, Linux ${release()}, ${cpus().length} × ${core?.model ?? 'unknown'};`,
    `medians of ${flags.repetitions} interleaved runs of ${flags.seconds} s.`,
  );
  for (const { name, missing } of wanted)
    if (missing) console.log(`\n${name} is left out: it needs ${missing}.`);
  for (const name of flags.sections) {
    const section = sections[name];
    if (!section) throw new Error(`no section is called ${name}: ${Object.keys(sections).join(', ')}`);
    console.log(`\n### ${section[0]}\n\n${await section[1](proxies, flags)}`);
  }
}

await main();
