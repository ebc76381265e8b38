import type { KubeObject } from '../../../kubernetes/index.ts';
import { argoCdDefinitions } from './argocd.ts';
import { gatewayApiDefinitions } from './gateway-api.ts';
import { traefikDefinitions } from './traefik.ts';

/** Every definition that the cluster comes with. */
export const ownDefinitions: readonly KubeObject[] = [
  ...traefikDefinitions,
  ...argoCdDefinitions,
  ...gatewayApiDefinitions,
];
