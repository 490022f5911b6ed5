/** Tells of secrets that come near the age limit that rotate.yaml sets, once a day. */
import { assessing } from './budgets.js';
import type { AgesInput } from './messages.js';
import { startNotify } from './start-notify.js';

export async function ages({ environment }: AgesInput): Promise<{ told: string[] }> {
  const { notices } = await assessing().findOld({ environment });
  for (const notice of notices) await startNotify(notice);
  return { told: notices.map((notice) => notice.text) };
}
