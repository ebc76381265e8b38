/** `sluice proxy`: the data plane alone, without Kubernetes. */

import type { Command } from 'commander';
import { registerProxyUdp } from './proxy/udp.ts';

export function registerProxy(program: Command): void {
  const proxy = program.command('proxy').description('run the data plane alone, without Kubernetes');
  registerProxyUdp(proxy);
}
