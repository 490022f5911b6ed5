/** The block of the first secret's kind. What no question asks for can be given by `--set`. */
import { kindRegistry } from '../../config/registries.js';
import { RotateError } from '../../domain/failure.js';
import { hostsOf } from './ask-hosts.js';
import { mappingOf, mistakeAt, valueIn, withValue, type Draft, type Mistake } from './draft.js';
import { settle, type FirstSecret, type Interview } from './state.js';
import {
  kindQuestions,
  readYaml,
  type Described,
  type SettingQuestion,
  type Slot,
} from './kind-questions.js';
import type { Complaint } from './question.js';

/** @param given names of settings for which there is an answer */
export async function askSettings(
  state: Interview,
  { environment, name }: FirstSecret,
  kind: string,
  given: readonly string[],
): Promise<void> {
  const path = ['secrets', environment, name, kind];
  const { slots = [], fixed } = kindQuestions.get(kind) ?? {};
  const hosts = hostsOf(state, environment);
  const described = (): Described => ({ block: mappingOf(valueIn(state.draft, path)), hosts });
  const view = (draft: Draft): Draft => withList(draft, path);
  state.view = view;
  state.draft = withValue(state.draft, path, {});
  // First, because it decides what is left to be asked.
  const others = new Map<string, unknown>();
  for (const key of given.filter((each) => slots.every(([asked]) => asked !== each))) {
    await askSetting(state, path, key, { text: 'as it stands in the file', parse: readYaml });
    others.set(key, valueIn(state.draft, placeIn(path, key)));
  }
  const askSlot = async ([key, make]: Slot, complaint?: Complaint): Promise<boolean> => {
    const question = make(described());
    if (question === undefined) return false;
    await askSetting(state, path, key, question, complaint);
    // They may belong into what was just answered.
    for (const [other, value] of others) put(state, path, other, value);
    return true;
  };
  for (const slot of slots) await askSlot(slot);
  for (const [key, value] of fixed?.(described().block) ?? []) put(state, path, key, value);
  // What only shows when the block is whole is asked again, until nothing is wrong any more.
  for (;;) {
    const mistake = mistakeAt(view(state.draft), path, 'under');
    if (mistake === undefined) break;
    const slot = slots.find(([key]) => key.split('.').every((part, i) => mistake.place[i] === part));
    const complaint =
      slot === undefined ? undefined : mistakeAt(view(state.draft), placeIn(path, slot[0]), 'under');
    if (slot === undefined || !(await askSlot(slot, complaint))) throw unsettled(kind, mistake);
  }
  delete state.view;
}

async function askSetting(
  state: Interview,
  path: readonly string[],
  key: string,
  { parse, ...question }: SettingQuestion,
  complaint?: Complaint,
): Promise<void> {
  const whole = { ...question, key: `set ${key}`, flag: `--set ${key}=VALUE` };
  await settle(state, whole, placeIn(path, key), parse, complaint);
}

function put(state: Interview, path: readonly string[], key: string, value: unknown): void {
  state.draft = withValue(state.draft, placeIn(path, key), value);
}

function placeIn(path: readonly string[], key: string): string[] {
  return [...path, ...key.split('.')];
}

/** How it stands in the file is asked later; until then, a list has a place there. */
function withList(draft: Draft, path: readonly string[]): Draft {
  const kind = path.at(-1) ?? '';
  const list = kindRegistry.get(kind)?.facts(valueIn(draft, path))?.list === true;
  return list ? withValue(draft, [...path.slice(0, -1), 'format'], { raw: true, list: ',' }) : draft;
}

function unsettled(kind: string, { message, hint }: Mistake): RotateError {
  return new RotateError('BadConfig', `${kind}: ${message}`, {
    hint: hint ?? `give it by --set KEY=VALUE; see docs/kinds/${kind}.md`,
  });
}
