/** `sluice ingress`: an ingress controller for Traefik's UDP and TCP routes, on any Kubernetes. */

import type { Command } from 'commander';

export interface IngressFlags {
  kubeconfig?: string;
  context?: string;
  conflict: string;
  engine: string;
  dryRun?: true | string;
  output: string;
}

export function registerIngress(program: Command): void {
  program
    .command('ingress')
    .summary("route UDP and TCP on any Kubernetes, from Traefik's own resources and arguments")
    .description(
      'Serves IngressRouteUDP, IngressRouteTCP and Gateway API routes of a cluster. Takes the arguments, environment ' +
        'variables (TRAEFIK_...) and files of Traefik: sluice ingress --entrypoints.myudp.address=:9998/udp. The cluster is ' +
        "the pod's own, or the one of a kubeconfig.",
    )
    .option('--kubeconfig <file>', 'a kubeconfig instead of the usual ones')
    .option('--context <name>', 'a context of the kubeconfig')
    .option(
      '--conflict <order>',
      'who holds a UDP entry point that several routes want: oldest or traefik',
      'oldest',
    )
    .option('--engine <kind>', 'how datagrams are moved: auto, native or dgram', 'auto')
    .option('--dry-run [directory]', 'print the routes of the cluster, or of a GitOps tree, and exit')
    .option('-o, --output <format>', 'of --dry-run: text or json', 'text')
    .argument('[options...]', "Traefik's static options, as --name=value")
    .allowUnknownOption()
    .action(async (words: string[], flags: IngressFlags) => {
      const { runIngress } = await import('./ingress/run.ts');
      process.exitCode = await runIngress(words, flags);
    });
}
