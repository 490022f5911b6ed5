/** Recorded histories as files: one a scenario, with every run of its workflows. */
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

import { makeCodecKeyring, parseCodecKeys, type CodecKeyring } from '../../codec/keyring.js';
import { ulidOf } from '../../domain/ids.js';

export const folder = fileURLToPath(new URL('.', import.meta.url));

export interface Recorded {
  workflowId: string;
  type: string;
  /** As the Temporal CLI prints it. */
  history: { events: RecordedEvent[] };
}

export interface RecordedEvent {
  eventType: string;
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
  activityTaskStartedEventAttributes?: { attempt?: number };
}

/** The key that the committed histories are sealed with; it seals nothing else. */
export async function recordingKeys(): Promise<CodecKeyring> {
  // Not loadCodecKeys: that refuses a file which everyone can read, as git makes it.
  const [first, ...rest] = parseCodecKeys(await recordingKey(), 'codec.key');
  if (first === undefined) throw new Error('codec.key is empty');
  return makeCodecKeyring([first, ...rest]);
}

export function recordingKey(): Promise<string> {
  return readFile(join(folder, 'codec.key'), 'utf8');
}

export function scenarios(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replace(/\.json$/, ''))
    .sort();
}

export async function load(scenario: string): Promise<Recorded[]> {
  const recorded: Recorded[] = JSON.parse(await readFile(join(folder, `${scenario}.json`), 'utf8'));
  return recorded;
}

/** Saves all runs of what belongs to an environment, and of what was told of it, as far as they are now. */
export async function save(client: Client, scenario: string, environment: string): Promise<void> {
  const recorded: Recorded[] = [];
  const of = ['rotation', 'rotate', 'sequence', 'due'].map((each) => `WorkflowId STARTS_WITH '${each}/${environment}/'`);
  const record = async (query: string, isOurs: (workflowId: string) => boolean): Promise<void> => {
    for await (const { workflowId, runId, type } of client.workflow.list({ query })) {
      if (!isOurs(workflowId)) continue;
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      recorded.push({ workflowId, type, history: JSON.parse(historyToJSON(history)) });
    }
  };
  await record([...of, `WorkflowId = 'ages/${environment}'`].join(' OR '), () => true);
  // Named after a rotation, or after a schedule of the environment.
  const names = [environment, ...recorded.flatMap(({ workflowId }) => ulidOf(workflowId) ?? [])];
  await record(`WorkflowId STARTS_WITH 'notify/'`, (id) => names.some((name) => id.includes(name)));
  recorded.sort((a, b) => (a.workflowId < b.workflowId ? -1 : 1));
  await writeFile(join(folder, `${scenario}.json`), `${JSON.stringify(recorded)}\n`);
}
