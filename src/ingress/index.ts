export {
  compileUdpRoutes,
  type RouteFinding,
  type UdpRouting,
  type UdpRoutingInput,
} from './routing/udp-routes.ts';
export {
  type EntryPoint,
  type LocatedArgument,
  readStaticArguments,
  type StaticConfiguration,
} from './static/entry-points.ts';
export { readTraefikChart, type TraefikChart, type TraefikChartSource } from './static/traefik-chart.ts';
