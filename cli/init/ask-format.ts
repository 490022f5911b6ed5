/** How the first secret stands in its file. */
import { mistakeAt, valueIn, withValue } from './draft.js';
import { settle, type Interview } from './state.js';
import { ask, type Reading } from './question.js';

export interface FormatNeeds {
  /** Older values stand behind the one in use. */
  list: boolean;
  /** The file has to say which account is in use. */
  needsAccount: boolean;
  suggested?: { format: string; template?: string };
}

type Place = Readonly<Record<string, string | true>>;

/** @param path of the secret */
export async function askFormat(
  state: Interview,
  path: readonly string[],
  needs: FormatNeeds,
): Promise<void> {
  const at = [...path, 'format'];
  const { list, suggested } = needs;
  const place = await ask(
    state.source,
    {
      key: 'format',
      flag: '--format FORMAT',
      text: 'how it stands in the file: raw, env:VARIABLE, json:KEY.KEY or yaml:KEY.KEY',
      about: ['raw: it is the whole file; env: a variable of an environment file'],
      default: 'raw',
      ...(suggested === undefined ? {} : { suggestion: suggested.format }),
    },
    (text) => readPlace(state, at, text),
  );
  if (list && ('json' in place || 'yaml' in place))
    state.draft = withValue(state.draft, at, { ...place, list: true });
  else if (list) await askList(state, at, place);
  else await askTemplate(state, at, place, needs);
}

function readPlace({ draft }: Interview, at: readonly string[], text: string): Reading<Place> {
  const [, type, value] = /^(env|json|yaml):(.+)$/.exec(text) ?? [];
  if (type === undefined || value === undefined)
    return text === 'raw'
      ? { value: { raw: true } }
      : { complaint: { message: `\`${text}\` is no format`, hint: 'e.g. raw, or env:DATABASE_URL' } };
  const place = { [type]: value };
  // What the format as a whole lacks may be in the template.
  const mistake = mistakeAt(withValue(draft, at, place), [...at, type], 'under');
  return mistake === undefined ? { value: place } : { complaint: mistake };
}

async function askTemplate(
  state: Interview,
  at: readonly string[],
  place: Place,
  { needsAccount, suggested }: FormatNeeds,
): Promise<void> {
  const suggestion = suggested?.template;
  await settle(
    state,
    {
      key: 'template',
      flag: '--template TEXT',
      text: needsAccount
        ? 'what it looks like, with {role} and {password}'
        : 'what it looks like, with {password}',
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(needsAccount ? {} : { optional: true }),
      ...(needsAccount || suggestion !== undefined ? {} : { quiet: true }),
    },
    at,
    (template) => ({ value: { ...place, template } }),
  );
  if (valueIn(state.draft, at) === undefined)
    state.draft = withValue(state.draft, at, 'raw' in place ? 'raw' : place);
}

async function askList(state: Interview, at: readonly string[], place: Place): Promise<void> {
  await settle(
    state,
    {
      key: 'list',
      flag: '--list TEXT',
      text: 'text between the values, of which the newest comes first',
      default: 'raw' in place ? '\\n' : ',',
    },
    at,
    (text) => ({ value: { ...place, list: text.replaceAll('\\n', '\n') } }),
  );
}
