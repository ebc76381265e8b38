import type { RouteTable } from '../route-table.ts';

const hidden = '(not shown)';

/** The table as it may be shown to people and written to logs: without private keys. */
export function withoutPrivateKeys(table: RouteTable): RouteTable {
  const { certificates, tcp, ...rest } = table;
  return {
    ...rest,
    ...(certificates ? { certificates: certificates.map((one) => ({ ...one, privateKey: hidden })) } : {}),
    ...(tcp
      ? {
          tcp: tcp.map((decision) => ({
            ...decision,
            routes: decision.routes.map((route) => ({
              ...route,
              services: route.services.map((service) => {
                const certificate = service.tls?.certificate;
                if (!certificate) return service;
                return {
                  ...service,
                  tls: { ...service.tls, certificate: { ...certificate, privateKey: hidden } },
                };
              }),
            })),
          })),
        }
      : {}),
  };
}
