/** `sluice proxy`: the data plane alone, without Kubernetes. */

import type { Command } from 'commander';
import { registerProxyTcp } from './proxy/tcp.ts';
import { registerProxyUdp } from './proxy/udp.ts';

export function registerProxy(program: Command): void {
  const proxy = program.command('proxy').description('run the data plane alone, without Kubernetes');
  registerProxyTcp(proxy);
  registerProxyUdp(proxy);
}
