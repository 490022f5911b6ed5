/** What `rotate init` asks about hosts. */
import { askHostKey } from './ask-host-key.js';
import { mappingOf, valueIn, withValue } from './draft.js';
import { judged, rulesOf, settle, type Interview } from './state.js';
import { ask, type Question, type Reading } from './question.js';

export async function askHosts(state: Interview): Promise<void> {
  for (let i = 0; ; i++) {
    const told = await askHost(state, i);
    if (told === undefined) break;
    const environment = told.environment ?? (await askEnvironmentOf(state, told.name));
    state.draft = withValue(state.draft, ['hosts', told.name], { environment });
    const { address, port, user } = await askLogin(state, told.name, told.login);
    // Who says a host in one go is not asked for details.
    const quiet = told.login !== undefined;
    if (user !== 'root') await askSudo(state, told.name, quiet);
    await askHostKey(state, told.name, { environment, address, port }, quiet);
  }
}

/** Names of hosts in the order of the file. @param environment only its */
export function hostsOf({ draft }: Interview, environment: string): string[] {
  return Object.entries(mappingOf(draft['hosts']))
    .filter(([, host]) => mappingOf(host)['environment'] === environment)
    .map(([name]) => name);
}

interface ToldHost {
  environment?: string;
  name: string;
  login?: string;
}

async function askHost(state: Interview, i: number): Promise<ToldHost | undefined> {
  const spec = '[ENV/]NAME[=[USER@]ADDRESS[:PORT]]';
  return ask<ToldHost | undefined>(
    state.source,
    {
      key: `host ${i}`,
      flag: '--host NAME=USER@ADDRESS',
      text: i === 0 ? 'first host, its name' : 'next host',
      ...(i === 0
        ? { about: [await namesInRules(state)].filter((line) => line !== '') }
        : { optional: true }),
    },
    (text) => {
      if (text === '') return { value: undefined };
      const [, environment, name = '', login] = /^(?:([^/=]*)\/)?([^=]*)(?:=(.*))?$/.exec(text) ?? [];
      if (environment !== undefined && !state.environments.includes(environment))
        return {
          complaint: { message: `unknown environment \`${environment}\``, hint: `a host is ${spec}` },
        };
      if (valueIn(state.draft, ['hosts', name]) !== undefined)
        return { complaint: { message: `host \`${name}\` was named before`, hint: 'name each once' } };
      const draft = withValue(state.draft, ['hosts', name], { environment: state.environments[0] });
      const reading = judged(draft, ['hosts', name], 'at');
      if ('complaint' in reading) return reading;
      return {
        value: {
          name,
          ...(environment === undefined ? {} : { environment }),
          ...(login === undefined ? {} : { login }),
        },
      };
    },
  );
}

async function namesInRules({ draft, environments, surroundings }: Interview): Promise<string> {
  const names = new Set<string>();
  for (const environment of environments) {
    const { keys } = await surroundings.readRules(rulesOf(draft, environment));
    for (const name of keys.keys()) names.add(name);
  }
  return names.size === 0 ? '' : `the rules have keys of: ${[...names].toSorted().join(', ')}`;
}

async function askEnvironmentOf(state: Interview, name: string): Promise<string> {
  const [only, ...others] = state.environments;
  if (only !== undefined && others.length === 0) return only;
  return ask(
    state.source,
    {
      key: `environment of ${name}`,
      flag: `--host ENV/${name}`,
      text: `environment of ${name} (${state.environments.join(', ')})`,
    },
    (text) =>
      state.environments.includes(text)
        ? { value: text }
        : { complaint: { message: `unknown environment \`${text}\`` } },
  );
}

interface Login {
  user: string;
  address: string;
  port: number;
}

/** @param given what stands behind `NAME=` */
async function askLogin(state: Interview, name: string, given: string | undefined): Promise<Login> {
  const path = ['hosts', name];
  let login: Login = { user: 'root', address: name, port: 22 };
  const question: Question = {
    key: `login of ${name}`,
    flag: `--host ${name}=USER@ADDRESS`,
    text: `SSH login on ${name}, as USER@ADDRESS or USER@ADDRESS:PORT`,
    default: given ?? `root@${name}`,
    ...(given === undefined ? {} : { quiet: true }),
  };
  await settle(state, question, path, (text) => {
    const read = readLogin(text, name);
    if (read === undefined)
      return { complaint: { message: `\`${text}\` is no login`, hint: 'write it as root@10.0.0.5' } };
    login = read;
    return {
      value: {
        ...mappingOf(valueIn(state.draft, path)),
        ...(read.address === name ? {} : { address: read.address }),
        ...(read.port === 22 ? {} : { port: read.port }),
        ...(read.user === 'root' ? {} : { user: read.user }),
      },
    };
  });
  return login;
}

/** `[USER@]ADDRESS[:PORT]`; an IPv6 address needs brackets only before a port. */
function readLogin(text: string, name: string): Login | undefined {
  const match = /^(?:([^@]*)@)?(?:\[([^\]]+)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, user = 'root', bracketed, bare = '', port = '22'] = match;
  const address = bracketed ?? bare;
  return { user, address: address === '' ? name : address, port: Number(port) };
}

async function askSudo(state: Interview, name: string, quiet: boolean): Promise<void> {
  await settle(
    state,
    {
      key: `sudo on ${name}`,
      flag: `--host ${name}=root@ADDRESS`,
      text: `reach root on ${name} by \`sudo -n\`, yes or no`,
      default: 'yes',
      ...(quiet ? { quiet } : {}),
    },
    ['hosts', name, 'sudo'],
    yesOrNo,
  );
}

function yesOrNo(text: string): Reading<boolean> {
  if (/^y(es)?$/i.test(text)) return { value: true };
  return /^no?$/i.test(text) ? { value: false } : { complaint: { message: 'answer yes or no' } };
}
