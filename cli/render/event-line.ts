/** One line an event, for logs and pipes. */
import type { RotationEvent } from '../../domain/status.js';
import { oneLine } from './text.js';

export function eventLine(event: RotationEvent): string {
  const message = event.message === undefined ? [] : [event.message];
  const parts = {
    state: ['rotation', event.state ?? '', ...message],
    step: [event.step ?? '', event.stepState ?? '', ...message],
    host: [event.step ?? '', event.host ?? '', event.stepState ?? '', ...message],
    note: ['note', ...message],
  }[event.type];
  return oneLine([event.at.replace(/\.\d+Z$/, 'Z'), ...parts].join('  '));
}
