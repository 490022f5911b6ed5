/** The public key of a host: taken from files that are trusted already, never from the network. */
import { hostKeySchema } from '../../config/host-key.js';
import { valueIn } from './draft.js';
import { keyNamed, type NamedKey } from './rules-text.js';
import { rulesOf, settle, type Interview } from './state.js';

/** @param quiet what was found is taken without a question */
export async function askHostKey(
  state: Interview,
  name: string,
  where: { environment: string; address: string; port: number },
  quiet: boolean,
): Promise<void> {
  const found = await findKey(state, name, where);
  const key = 'key' in found ? found.key : undefined;
  const about = 'conflict' in found ? [found.conflict] : [];
  if ('conflict' in found) state.notes.push(found.conflict);
  await settle(
    state,
    {
      key: `host-key ${name}`,
      flag: `--host-key ${name}=KEY`,
      text: `host key of ${name}`,
      about: key === undefined ? about : [...about, `found in ${key.from}`],
      optional: true,
      ...(key === undefined ? {} : { default: key.key }),
      ...(quiet ? { quiet } : {}),
    },
    ['hosts', name, 'hostKey'],
    (text) => {
      const read = hostKeySchema.safeParse(text);
      return { value: read.success ? read.data : text };
    },
  );
  const pinned = valueIn(state.draft, ['hosts', name, 'hostKey']);
  if (key !== undefined && pinned === key.key) state.keyOrigins.set(name, key.from);
  if (pinned === undefined && !('conflict' in found))
    state.notes.push(
      `${name} has no hostKey: the worker's known_hosts must have its key (see /etc/ssh/ssh_host_ed25519_key.pub on ${name})`,
    );
}

/** What the rules have under the host's name, else what known_hosts has; neither where they contradict each other. */
async function findKey(
  { draft, surroundings }: Interview,
  name: string,
  { environment, address, port }: { environment: string; address: string; port: number },
): Promise<{ key: NamedKey | undefined } | { conflict: string }> {
  const inRules = keyNamed(await surroundings.readRules(rulesOf(draft, environment)), name);
  const known = await surroundings.knownKeys(address, port);
  if (inRules === undefined) return { key: known[0] };
  const type = (key: string): string => key.split(' ')[0] ?? '';
  const same = known.filter(({ key }) => type(key) === type(inRules.key));
  const [other] = same;
  if (other === undefined || same.some(({ key }) => key === inRules.key)) return { key: inRules };
  return {
    conflict: `${name}: ${inRules.from} and ${other.from} have different keys of type ${type(other.key)}, so none was taken: compare them with /etc/ssh/ssh_host_ed25519_key.pub on the host`,
  };
}
