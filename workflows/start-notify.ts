/** Starts the telling of something, and does not wait for it. */
import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import { notifyId } from '../domain/ids.js';
import type { Notification } from '../domain/notification.js';
import type { notify } from './notify.js';

export async function startNotify(notification: Notification): Promise<void> {
  try {
    await startChild<typeof notify>('notify', {
      workflowId: notifyId(notification.id),
      args: [{ notification }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    });
  } catch (error) {
    // Told already: a run that was continued, or tried again, says the same under the same id.
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return;
    throw error;
  }
}
