/** Access reviews: the one user of the embedded cluster may do everything. */

import { isObject, type JsonObject } from '../../kubernetes/index.ts';
import { badRequest } from './status.ts';

export const user = { username: 'sluice:admin', groups: ['system:masters', 'system:authenticated'] };

/** The answer to a review; the question comes back with its status. Throws BadRequest. */
export function answerReview(kind: string, body: unknown): JsonObject {
  if (!isObject(body)) throw badRequest(`the body is not a ${kind}`);
  return {
    ...body,
    metadata: isObject(body.metadata) ? body.metadata : {},
    status: statusOf(kind, body),
  };
}

function statusOf(kind: string, body: JsonObject): JsonObject {
  switch (kind) {
    case 'SelfSubjectReview':
      return { userInfo: user };
    case 'TokenReview':
      return { authenticated: false, error: 'the embedded cluster has no tokens' };
    case 'SelfSubjectRulesReview':
      return {
        incomplete: false,
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      };
    case 'SelfSubjectAccessReview':
      return { allowed: true };
    default:
      return { allowed: isObject(body.spec) && body.spec.user === user.username };
  }
}
