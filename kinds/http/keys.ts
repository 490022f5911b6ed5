/** Keys at the vendor: listed, made, asked for, switched and deleted. */
import { RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import { parsePointer, splitAtStar, valueAt } from './pointer.js';
import type { HttpSettings } from './schema.js';
import { secretText } from './secret-text.js';
import type { Reply, Vendor } from './vendor.js';

/** The journal keeps the ids of all. */
export const maxKeys = 200;
const maxPages = 50;

export interface Key {
  id: string;
  label?: string;
}

/**
 * All keys, by their ids.
 * @throws RotateError IssuerMisconfigured also when there are more than {@link maxKeys}
 */
export async function listKeys(vendor: Vendor): Promise<ReadonlyMap<string, Key>> {
  const { list } = vendor.settings;
  const keys = new Map<string, Key>();
  const seen = new Set<string>();
  let reply = await vendor.read(list);
  for (;;) {
    for (const key of keysOf(reply, list)) keys.set(key.id, key);
    if (keys.size > maxKeys)
      throw new RotateError(
        'IssuerMisconfigured',
        `${reply.title}: the vendor lists more than ${maxKeys} keys`,
        { hint: 'narrow http.list by its query to the keys of this application, without deleted ones' },
      );
    seen.add(reply.url.href);
    const next = nextPage(reply, list);
    if (next === undefined) return keys;
    if (seen.has(next.href) || seen.size >= maxPages)
      throw new RotateError('IssuerMisconfigured', `${reply.title}: the pages of the list do not end`, {
        hint: 'see http.list.next',
      });
    reply = await vendor.page(list, next);
  }
}

function keysOf(reply: Reply, { ids, labels }: HttpSettings['list']): Key[] {
  const { list, rest } = splitAtStar(ids) ?? { list: [], rest: [] };
  const labelAt = labels === undefined ? undefined : splitAtStar(labels)?.rest;
  const entries = valueAt(reply.json(), list);
  if (!Array.isArray(entries))
    throw new RotateError(
      'IssuerMisconfigured',
      `${reply.title}: the answer has no list at /${list.join('/')}`,
      {
        hint: 'see http.list.ids',
      },
    );
  return entries.map((entry: unknown) => {
    const id = idAt(entry, rest, reply.title, ids);
    const label = labelAt === undefined ? undefined : valueAt(entry, labelAt);
    return typeof label === 'string' ? { id, label } : { id };
  });
}

function nextPage({ title, headers, url, ...reply }: Reply, { next }: HttpSettings['list']): URL | undefined {
  if (next === undefined) {
    if (/;\s*rel="?next"?/i.test(String(headers['link'] ?? '')))
      throw new RotateError('IssuerMisconfigured', `${title}: the list has another page`, {
        hint: 'ask for larger pages in the query, or say in http.list.next where the next one stands',
      });
    return undefined;
  }
  const mark = valueAt(reply.json(), parsePointer(typeof next === 'string' ? next : next.at) ?? []);
  if (mark === undefined || mark === null || mark === '' || mark === false) return undefined;
  const text = typeof mark === 'number' ? String(mark) : mark;
  if (typeof text !== 'string' || (typeof next === 'string' && !URL.canParse(text, url.href)))
    throw new RotateError('IssuerMisconfigured', `${title}: what stands at http.list.next is no page`, {
      hint: 'correct `http.list.next`: an address, or `{ at, query }` for what goes into the query',
    });
  if (typeof next !== 'string') {
    const page = new URL(url);
    page.searchParams.set(next.query, text);
    return page;
  }
  const page = new URL(text, url.href);
  if (page.origin !== url.origin)
    throw new RotateError(
      'IssuerMisconfigured',
      `${title}: the next page is at ${page.origin}, not at ${url.origin}, which is refused`,
      { hint: 'name that server in `http.base`, or correct `http.list.next`' },
    );
  return page;
}

/** Makes a key. @param label see {@link labelOf} */
export async function createKey(
  vendor: Vendor,
  label: string | undefined,
): Promise<{ id: string; value: SecretValue }> {
  const { create } = vendor.settings;
  const reply = await vendor.read(create, label === undefined ? {} : { label });
  const answer = reply.json();
  const value = valueAt(answer, parsePointer(create.value) ?? []);
  if (typeof value !== 'string' || value === '')
    throw new RotateError(
      'IssuerMisconfigured',
      `${reply.title}: the answer has no value at ${create.value}`,
      {
        hint: 'see http.create.value',
      },
    );
  return {
    id: idAt(answer, parsePointer(create.id) ?? [], reply.title, create.id),
    value: SecretValue.fromText(value),
  };
}

/**
 * Deletes a key; `false`: it was gone already.
 * @throws RotateError IssuerMisconfigured also when the vendor says that it is gone, and goes on listing it
 */
export async function deleteKey(vendor: Vendor, id: string): Promise<boolean> {
  const request = vendor.settings.delete;
  if (await vendor.act(request, { id }, request.already)) return true;
  // a wrong path is answered with 404 as well
  if ((await listKeys(vendor)).has(id))
    throw new RotateError('IssuerMisconfigured', `the vendor says that the key ${id} is gone, and lists it`, {
      hint: 'see the path of http.delete; http.list must leave out keys that are deleted',
    });
  return false;
}

/** Makes the vendor refuse a key, where that can be undone; `false`: it did, or there is no such way. */
export async function disableKey(vendor: Vendor, id: string): Promise<boolean> {
  const request = vendor.settings.disable;
  return request !== undefined && vendor.act(request, { id }, request.already);
}

/** Undoes {@link disableKey}. */
export async function enableKey(vendor: Vendor, id: string): Promise<boolean> {
  const request = vendor.settings.enable;
  return request !== undefined && vendor.act(request, { id }, request.already);
}

/** Which key a value is, by the vendor's own word. @throws RotateError IssuerMisconfigured when it is not accepted */
export async function identifyKey(
  vendor: Vendor,
  { value, account }: { value: SecretValue; account?: string },
): Promise<string> {
  const request = vendor.settings.identify;
  if (request === undefined)
    throw new RotateError('IssuerMisconfigured', 'the file does not say the id of its key', {
      hint: 'add a `template` with {role} and {password} to `format`, or `identify` to `http`',
    });
  const values = { value: secretText(value, 'the value'), ...(account === undefined ? {} : { account }) };
  const reply = await vendor.ask(request, values);
  return idAt(reply.json(), parsePointer(request.id) ?? [], reply.title, request.id);
}

/** An id becomes part of a path, and is told to people. Of a number that JSON cannot hold exactly, another key's comes out. */
function idAt(node: unknown, segments: readonly string[], title: string, pointer: string): string {
  const found = valueAt(node, segments);
  const id = typeof found === 'number' && Number.isSafeInteger(found) ? String(found) : found;
  if (typeof id !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(id))
    throw new RotateError('IssuerMisconfigured', `${title}: what stands at ${pointer} is no id`, {
      hint: 'an id is a text of up to 128 characters without spaces, or a whole number below 2^53',
    });
  return id;
}
