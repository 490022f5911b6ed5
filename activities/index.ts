/** All activities, made from what the worker is composed of. */
import type { DueActivities, InspectActivities, NotifyActivities, RotationActivities } from './api.js';
import { deployActivities } from './deploy.js';
import { examine } from './doctor.js';
import { dueActivities } from './due.js';
import { repoActivities } from './encrypt.js';
import { issuerActivities } from './generate.js';
import { notifyActivities } from './notify.js';
import { makePlan } from './plan.js';
import type { Services } from './ports.js';
import { preflightActivities } from './preflight.js';
import { recordActivities } from './record.js';
import { revokeActivities } from './revoke.js';
import { makePlans } from './select.js';
import { verifyActivities } from './verify.js';

export function createActivities(
  services: Services,
): InspectActivities & RotationActivities & DueActivities & NotifyActivities {
  return {
    makePlan: (request) => makePlan(services, request),
    makePlans: (request) => makePlans(services, request),
    examine: (input) => examine(services, input),
    ...preflightActivities(services),
    ...issuerActivities(services),
    ...repoActivities(services),
    ...deployActivities(services),
    ...verifyActivities(services),
    ...revokeActivities(services),
    ...recordActivities(services),
    ...dueActivities(services),
    ...notifyActivities(services),
  };
}
