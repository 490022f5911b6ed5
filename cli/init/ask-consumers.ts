/** Who reads the first secret: hosts, with the units on them. */
import { hostsOf } from './ask-hosts.js';
import { withValue } from './draft.js';
import { judged, settle, type FirstSecret, type Interview } from './state.js';
import { ask, listOf } from './question.js';

interface Readers {
  hosts: string[];
  /** As they were told with the hosts. */
  units?: string;
}

/** @param issuers hosts that the kind names: the issuer's own */
export async function askConsumers(
  state: Interview,
  { environment, name }: FirstSecret,
  issuers: readonly string[],
): Promise<void> {
  const path = ['secrets', environment, name, 'consumers'];
  const others = hostsOf(state, environment).filter((host) => !issuers.includes(host));
  const consumers: unknown[] = [];
  for (let i = 0; ; i++) {
    const readers = await askHosts(state, path, consumers, others);
    if (readers === undefined) return;
    consumers.push(await askUnits(state, path, consumers, readers));
  }
}

async function askHosts(
  state: Interview,
  path: readonly string[],
  before: readonly unknown[],
  others: readonly string[],
): Promise<Readers | undefined> {
  const first = before.length === 0;
  return ask<Readers | undefined>(
    state.source,
    {
      key: `consumer ${before.length}`,
      flag: '--consumer HOSTS=UNITS',
      text: first ? 'hosts with a unit that reads it, with commas' : 'more hosts, with other units',
      ...(first ? (others.length === 0 ? {} : { suggestion: others.join(', ') }) : { optional: true }),
    },
    (text) => {
      if (text === '') return { value: undefined };
      const [, names = '', units] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
      const hosts = listOf(names);
      // The unit only makes it whole; the real ones are asked for next.
      const draft = withValue(state.draft, path, [...before, { hosts, units: ['rotate-init.service'] }]);
      const reading = judged(draft, path, 'under');
      if ('complaint' in reading) return reading;
      return { value: { hosts, ...(units === undefined ? {} : { units }) } };
    },
  );
}

async function askUnits(
  state: Interview,
  path: readonly string[],
  before: readonly unknown[],
  { hosts, units }: Readers,
): Promise<unknown> {
  const where = hosts.join(', ');
  let consumer = {};
  const put = (more: object) => {
    consumer = { hosts, ...consumer, ...more };
    return { value: [...before, consumer] };
  };
  await settle(
    state,
    {
      key: `units of consumer ${before.length}`,
      flag: `--consumer ${hosts.join(',')}=UNITS`,
      text: `units that read it on ${where}, in the order of their restart`,
      ...(units === undefined ? {} : { default: units, quiet: true }),
    },
    path,
    (text) => put({ units: listOf(text) }),
  );
  await settle(
    state,
    {
      key: 'action',
      flag: '--action ACTION',
      text: 'what makes them use a new value: restart, reload or none (they read the file for each login)',
      default: 'restart',
      ...(units === undefined ? {} : { quiet: true }),
    },
    path,
    (text) => put({ action: text }),
  );
  return consumer;
}
