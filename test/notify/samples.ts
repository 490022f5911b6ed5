/** Statuses and notifications to send. */
import { notificationOf, type Notification } from '../../domain/notification.js';
import type { RotationStatus } from '../../domain/status.js';

export const id = '01K6ZV3Q4R5S6T7V8W9X0Y1Z2A';
export const at = '2026-10-07T12:34:56.000Z';

export function statusOf(changes: Partial<RotationStatus> = {}): RotationStatus {
  return {
    id,
    environment: 'prod',
    secrets: ['db-password'],
    state: 'needs-attention',
    reason: {
      type: 'HostUnreachable',
      message: 'web-2: no answer from 10.0.0.12:22',
      hint: `bring it back, then \`rotate retry ${id}\``,
    },
    startedAt: '2026-10-07T12:00:00.000Z',
    steps: [
      { name: 'generate', state: 'done', attempts: 1, hosts: [] },
      {
        name: 'deploy',
        state: 'failed',
        attempts: 1,
        hosts: [
          { name: 'web-1', state: 'done' },
          { name: 'web-2', state: 'failed', message: 'no answer' },
          { name: 'web-3', state: 'skipped' },
        ],
      },
      { name: 'restart', state: 'failed', attempts: 1, hosts: [{ name: 'web-2', state: 'failed' }] },
    ],
    ...changes,
  };
}

export const sample: Notification = notificationOf({
  status: statusOf(),
  event: 'needs-attention',
  at,
  n: 3,
  by: 'alice@laptop',
  why: 'left the company',
});
