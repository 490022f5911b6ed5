/** All activities, made from what the worker is composed of. */
import type { InspectActivities, RotationActivities } from './api.js';
import { deployActivities } from './deploy.js';
import { examine } from './doctor.js';
import { repoActivities } from './encrypt.js';
import { issuerActivities } from './generate.js';
import { makePlan } from './plan.js';
import type { Services } from './ports.js';
import { preflightActivities } from './preflight.js';
import { recordActivities } from './record.js';
import { revokeActivities } from './revoke.js';
import { verifyActivities } from './verify.js';

export function createActivities(services: Services): InspectActivities & RotationActivities {
  return {
    makePlan: (request) => makePlan(services, request),
    examine: (input) => examine(services, input),
    ...preflightActivities(services),
    ...issuerActivities(services),
    ...repoActivities(services),
    ...deployActivities(services),
    ...verifyActivities(services),
    ...revokeActivities(services),
    ...recordActivities(services),
  };
}
