/** SL3xxx: entry points and routes. The value is the code's title. */
export const ingressCodes = {
  SL3001: 'The entry point is not valid',
  SL3002: 'The option is not one that Traefik has',
  SL3101: 'The route names an entry point that does not exist',
  SL3102: 'The route names a Service that does not exist',
  SL3103: 'The route names a port that its Service does not have',
  SL3104: 'The Service of the route has no endpoints that are ready',
  SL3105: 'Another route holds the entry point',
  SL3106: 'The route names a Service of another namespace',
  SL3107: 'The Service port of a UDP route is not a UDP port',
  SL3108: 'The route uses something that is not supported',
  SL3109: 'The balancing annotation is not valid',
} as const;
