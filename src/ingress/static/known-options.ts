/**
 * The static options of Traefik v3 (its `traefik --help` and configuration reference), and sluice's own. A path's words
 * are lower case; `*` is a name that the user chooses; `**` leaves open what follows, where sluice needs none of it.
 */

import { nearestName } from '../../diagnostics/index.ts';

/** `flag`: true or false, and true when nothing is said. `group`: switched on by naming it. `text`: needs a value. */
export type OptionKind = 'flag' | 'group' | 'text' | 'list' | 'duration' | 'number';

export interface KnownOption {
  readonly kind: OptionKind;
  /** Whether sluice does something about it. */
  readonly isUsed: boolean;
}

const used = `
entrypoints.*.address text
entrypoints.*.asdefault flag
entrypoints.*.reuseport flag
entrypoints.*.udp.timeout duration
entrypoints.*.proxyprotocol group
entrypoints.*.proxyprotocol.insecure flag
entrypoints.*.proxyprotocol.trustedips list
entrypoints.*.transport.lifecycle.gracetimeout duration
entrypoints.*.transport.lifecycle.requestacceptgracetimeout duration
entrypoints.*.transport.respondingtimeouts.readtimeout duration
entrypoints.*.sluice.balance text
entrypoints.*.sluice.maxsessions number
entrypoints.*.sluice.maxsessionsperclient number
entrypoints.*.sluice.allow list
entrypoints.*.sluice.deny list
entrypoints.*.sluice.rate number
entrypoints.*.sluice.rateperclient number
entrypoints.*.sluice.maxdatagrambytes number
entrypoints.*.sluice.maxamplification number
entrypoints.*.sluice.maxconnections number
entrypoints.*.sluice.maxconnectionsperclient number
entrypoints.*.sluice.idletimeout duration
entrypoints.*.sluice.removedendpointgrace duration
providers.providersthrottleduration duration
providers.kubernetescrd group
providers.kubernetescrd.endpoint text
providers.kubernetescrd.token text
providers.kubernetescrd.certauthfilepath text
providers.kubernetescrd.namespaces list
providers.kubernetescrd.labelselector text
providers.kubernetescrd.ingressclass text
providers.kubernetescrd.allowcrossnamespace flag
providers.kubernetescrd.allowexternalnameservices flag
providers.kubernetescrd.allowemptyservices flag
providers.kubernetescrd.nativelbbydefault flag
providers.kubernetescrd.throttleduration duration
providers.kubernetescrd.disableclusterscoperesources flag
providers.kubernetesgateway group
providers.kubernetesgateway.statusaddress.ip text
providers.kubernetesgateway.statusaddress.hostname text
log.level text
log.format text
accesslog group
accesslog.format text
accesslog.filepath text
ping group
ping.entrypoint text
ping.terminatingstatuscode number
metrics.prometheus group
metrics.prometheus.entrypoint text
api group
api.insecure flag
api.basepath text
configfile text
`;

const unneeded = `
entrypoints.*.allowacmebypass flag
entrypoints.*.forwardedheaders.** group
entrypoints.*.http.** group
entrypoints.*.http2.** group
entrypoints.*.http3.** group
entrypoints.*.observability.** group
entrypoints.*.transport.keepalivemaxrequests number
entrypoints.*.transport.keepalivemaxtime duration
entrypoints.*.transport.respondingtimeouts.idletimeout duration
entrypoints.*.transport.respondingtimeouts.writetimeout duration
providers.precedence list
providers.kubernetescrd.crossprovidernamespaces list
providers.kubernetescrd.safenaming flag
providers.kubernetesgateway.namespaces list
providers.kubernetesgateway.labelselector text
providers.kubernetesgateway.endpoint text
providers.kubernetesgateway.token text
providers.kubernetesgateway.certauthfilepath text
providers.kubernetesgateway.throttleduration duration
providers.kubernetesgateway.experimentalchannel flag
providers.kubernetesgateway.nativelbbydefault flag
providers.kubernetesgateway.statusaddress.service.** group
providers.kubernetesgateway.crossprovidernamespaces list
providers.kubernetesingress.** group
providers.kubernetesingressnginx.** group
providers.knative.** group
providers.consul.** group
providers.consulcatalog.** group
providers.docker.** group
providers.ecs.** group
providers.etcd.** group
providers.file.** group
providers.http.** group
providers.nomad.** group
providers.plugin.** group
providers.redis.** group
providers.rest.** group
providers.swarm.** group
providers.zookeeper.** group
log.compress flag
log.filepath text
log.maxage number
log.maxbackups number
log.maxsize number
log.nocolor flag
log.otlp.** group
accesslog.addinternals flag
accesslog.bufferingsize number
accesslog.dualoutput flag
accesslog.fields.** group
accesslog.filters.** group
accesslog.genericclfformat flag
accesslog.otlp.** group
accesslog.timezone text
ping.manualrouting flag
metrics.addinternals flag
metrics.datadog.** group
metrics.influxdb2.** group
metrics.otlp.** group
metrics.statsd.** group
metrics.prometheus.addentrypointslabels flag
metrics.prometheus.addrouterslabels flag
metrics.prometheus.addserviceslabels flag
metrics.prometheus.buckets list
metrics.prometheus.headerlabels.** group
metrics.prometheus.manualrouting flag
api.dashboard flag
api.dashboardname text
api.debug flag
api.disabledashboardad flag
certificatesresolvers.*.** group
core.defaultrulesyntax text
experimental.** group
global.checknewversion flag
global.sendanonymoususage flag
global.notappendxforwardedfor flag
global.notappendxtraefikheaders flag
hostresolver.** group
ocsp.** group
serverstransport.** group
spiffe.** group
tcpserverstransport.** group
tracing.** group
`;

interface Node {
  readonly children: Map<string, Node>;
  option?: KnownOption;
  /** Anything may follow. */
  open?: KnownOption;
}

const root: Node = { children: new Map() };
addAll(used, true);
addAll(unneeded, false);

function addAll(text: string, isUsed: boolean): void {
  for (const line of text.trim().split('\n')) {
    const [path = '', kind = 'text'] = line.split(' ');
    const option = { kind: kind as OptionKind, isUsed };
    let node = root;
    for (const word of path.split('.')) {
      if (word === '**') {
        node.open = option;
        node.option ??= option;
        break;
      }
      const next: Node = node.children.get(word) ?? { children: new Map() };
      node.children.set(word, next);
      node = next;
    }
    if (!path.endsWith('**')) node.option = option;
  }
}

/** An option's words, names as the user wrote them and all other words in lower case. */
export interface FoundOption {
  readonly path: readonly string[];
  readonly option: KnownOption;
}

/** The word that no option has in its place, and those that there are. */
export interface UnknownOption {
  readonly word: string;
  readonly nearest: string | undefined;
}

export function findOption(words: readonly string[]): FoundOption | UnknownOption {
  let node = root;
  const path: string[] = [];
  for (const [index, word] of words.entries()) {
    const lower = word.toLowerCase();
    const named = node.children.get('*');
    const next = node.children.get(lower) ?? (word === '' ? undefined : named);
    if (!next) {
      if (node.open) return { path: [...path, ...words.slice(index)], option: node.open };
      return {
        word,
        nearest: nearestName(
          word,
          [...node.children.keys()].filter((name) => name !== '*'),
        ),
      };
    }
    path.push(node.children.has(lower) ? lower : word);
    node = next;
  }
  // A group that has no switch of its own (`entrypoints.web.transport`) says nothing, as in Traefik.
  return { path, option: node.option ?? { kind: 'group', isUsed: false } };
}
