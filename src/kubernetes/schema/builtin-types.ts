import { apiextensionsTypes } from './builtin/apiextensions.ts';
import { appsTypes } from './builtin/apps.ts';
import { authenticationTypes } from './builtin/authentication.ts';
import { authorizationTypes } from './builtin/authorization.ts';
import { autoscalingTypes } from './builtin/autoscaling.ts';
import { batchTypes } from './builtin/batch.ts';
import { coordinationTypes } from './builtin/coordination.ts';
import { coreTypes } from './builtin/core.ts';
import { discoveryTypes } from './builtin/discovery.ts';
import { eventsTypes } from './builtin/events.ts';
import { metaTypes } from './builtin/meta.ts';
import { networkingTypes } from './builtin/networking.ts';
import { podsTypes } from './builtin/pods.ts';
import { policyTypes } from './builtin/policy.ts';
import { rbacTypes } from './builtin/rbac.ts';
import { schedulingTypes } from './builtin/scheduling.ts';
import { volumesTypes } from './builtin/volumes.ts';
import { TypeTables } from './notation.ts';
import type { Schema } from './schema.ts';

let built: TypeTables | undefined;

/** Read when first asked for. */
function tables(): TypeTables {
  built ??= new TypeTables({
    'meta.v1': metaTypes,
    'core.v1': coreTypes + podsTypes + volumesTypes,
    'apiextensions.v1': apiextensionsTypes,
    'apps.v1': appsTypes,
    'batch.v1': batchTypes,
    'authentication.v1': authenticationTypes,
    'authorization.v1': authorizationTypes,
    'autoscaling.v1': autoscalingTypes,
    'coordination.v1': coordinationTypes,
    'discovery.v1': discoveryTypes,
    'events.v1': eventsTypes,
    'networking.v1': networkingTypes,
    'policy.v1': policyTypes,
    'rbac.v1': rbacTypes,
    'scheduling.v1': schedulingTypes,
  });
  return built;
}

/** The shape of a built-in kind, as `apps/v1` and `Deployment`; undefined for kinds that Kubernetes does not have built in. */
export function builtInSchema(apiVersion: string, kind: string): Schema | undefined {
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  const isOurs = group === 'core' || group === 'meta' || !group.includes('.') || group.endsWith('.k8s.io');
  return isOurs ? tables().find(`${tableOf(group)}.${version}.${kind}`) : undefined;
}

/** The group's first word, which the tables are named by: `networking` for `networking.k8s.io`. */
function tableOf(group: string): string {
  return group === 'rbac.authorization.k8s.io' ? 'rbac' : (group.split('.')[0] ?? group);
}

/** A type of the tables by its short name, as `meta.v1.ObjectMeta`. */
export function namedType(name: string): Schema | undefined {
  return tables().find(name);
}
