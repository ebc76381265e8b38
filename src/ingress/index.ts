export { goDuration, ruleText } from './admin/traefik-shapes.ts';
export {
  createIngressController,
  type IngressController,
  type IngressControllerOptions,
} from './controller.ts';
export { createDropLog, describeDecision, describeFinding, type IngressLog } from './log.ts';
export type { RouteFinding } from './routing/findings.ts';
export { type Routing, RoutingState } from './routing/incremental/routing-state.ts';
export type { RoutingOptions } from './routing/options.ts';
export {
  compileTcpRoutes,
  type TcpRouting,
  type TcpRoutingInput,
} from './routing/tcp-routes.ts';
export {
  compileUdpRoutes,
  type UdpRouting,
  type UdpRoutingInput,
} from './routing/udp-routes.ts';
export { defaultPriority, parseTcpRule, type RuleReading } from './rules/tcp-rule.ts';
export {
  createIngressRuntime,
  EntryPointError,
  type IngressRuntime,
  type IngressRuntimeOptions,
} from './serve/runtime.ts';
export type { EntryPoint, EntryPointLimits } from './static/entry-points.ts';
export {
  type LoadedConfiguration,
  loadStaticConfiguration,
  reloadStaticConfiguration,
  type StaticSources,
} from './static/load.ts';
export type { LocatedArgument } from './static/option-sources.ts';
export {
  adminEntryPoint,
  type GatewayOptions,
  type KubernetesOptions,
  type LogLevel,
  readStaticArguments,
  type StaticConfiguration,
} from './static/static-configuration.ts';
export {
  readTraefikChart,
  type TraefikChart,
  type TraefikChartSource,
  traefikImage,
} from './static/traefik-chart.ts';
export { watchConfigurationFile } from './static/watch-file.ts';
