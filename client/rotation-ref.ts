/** Which of Temporal's workflows are rotations, and which rotation each is. */
import { decodeName, ulidOf } from '../domain/ids.js';
import { workflowTypes } from '../workflows/messages.js';

export interface RotationRef {
  /** The ULID. */
  id: string;
  environment: string;
  workflowId: string;
}

/** A rotation by its workflow id; undefined for other workflows. */
export function refOf(workflowId: string): RotationRef | undefined {
  const id = ulidOf(workflowId);
  const environment = decodeName(workflowId.split('/')[1]);
  return id === undefined || environment === undefined ? undefined : { id, environment, workflowId };
}

/** Lists those that have not continued as new, each once. */
export const rotationsQuery = `WorkflowType = '${workflowTypes.rotation}' AND ExecutionStatus != 'ContinuedAsNew'`;
