/** What `plan` and `doctor` show, computed by the worker. */
import type { PlanRequest, Plans, PlansRequest } from '../activities/api.js';
import type { DoctorReport } from '../domain/doctor.js';
import type { DigestedPlan } from '../domain/plan.js';
import { inspecting } from './budgets.js';

export async function inspectPlan(request: PlanRequest): Promise<DigestedPlan> {
  return inspecting().makePlan(request);
}

export async function inspectPlans(request: PlansRequest): Promise<Plans> {
  return inspecting().makePlans(request);
}

export async function inspectFleet(request: {
  environment?: string;
  hosts?: string[];
}): Promise<DoctorReport> {
  return inspecting().examine(request);
}
