/** The vendor's API as a rotation uses it: each request authenticated, in time, and its answer judged. */
import { RotateError } from '../../domain/failure.js';
import type { KindContext } from '../kind.js';
import { type Asker, isRedirect, readJson, refusal, targetOf } from './answers.js';
import { beginAttempt } from './attempt.js';
import { type Answer, exchange } from './exchange.js';
import { prepare, type PreparedRequest } from './prepare.js';
import type { RequestSettings } from './request-schema.js';
import type { HttpSettings } from './schema.js';
import { secretText } from './secret-text.js';
import type { Values } from './template.js';

/** Redirects of a reading request within the vendor's own origin. */
const maxRedirects = 3;

export interface Reply {
  /** For messages, see {@link PreparedRequest.title}. */
  title: string;
  /** Where the answer really came from, after redirects. */
  url: URL;
  headers: Answer['headers'];
  /** @throws RotateError IssuerMisconfigured */
  json(): unknown;
}

export interface Vendor {
  readonly settings: HttpSettings;
  /**
   * Sends a request with the rights of the login, for what the answer says.
   * @throws RotateError IssuerUnreachable, IssuerBusy, Timeout, IssuerAuthFailed, IssuerMisconfigured
   */
  read(request: RequestSettings, values?: Values): Promise<Reply>;
  /** Reads another page of what `request` began with. @throws as {@link Vendor.read} */
  page(request: RequestSettings, url: URL): Promise<Reply>;
  /**
   * Sends a request with the rights of the login, for what it does; the answer's body does not matter.
   * @param already statuses that say that nothing was left to do
   * @returns whether it did something
   * @throws as {@link Vendor.read}
   */
  act(request: RequestSettings, values: Values, already: readonly number[]): Promise<boolean>;
  /** Sends a request with the rights of a value. @throws as {@link Vendor.read} */
  ask(request: RequestSettings, values: Values): Promise<Reply>;
}

/** @param withinMs see {@link beginAttempt} */
export function openVendor(context: KindContext, settings: HttpSettings, withinMs: number): Vendor {
  const attempt = beginAttempt(context.signal, withinMs);
  const via = settings.from === undefined ? undefined : context.hosts.host(settings.from);
  const asker = { login: settings.auth.login };
  let admin: Promise<string> | undefined;

  async function asAdmin(request: RequestSettings, values: Values): Promise<PreparedRequest> {
    attempt.mayGoOn();
    admin ??= readLogin(context, settings);
    return prepare(settings, request, { ...values, admin: await admin }, settings.auth);
  }
  /** A GET may be sent on within the vendor's own origin; nothing else is, as it would be made twice or elsewhere. */
  async function send(prepared: PreparedRequest, read: boolean): Promise<Answered> {
    let current = prepared;
    for (let redirects = 0; ; redirects++) {
      attempt.mayGoOn();
      const answer = await exchange(current, { signal: attempt.signal, via, read });
      const target = isRedirect(answer.status) ? targetOf(current, answer) : undefined;
      const within = target?.origin === prepared.url.origin && prepared.method === 'GET';
      if (target === undefined || !within || redirects === maxRedirects) return { prepared: current, answer };
      current = { ...current, url: target };
    }
  }

  return {
    settings,
    async read(request, values = {}) {
      return reply(await send(await asAdmin(request, values), true), asker);
    },
    async page(request, url) {
      return reply(await send({ ...(await asAdmin(request, {})), url }, true), asker);
    },
    async act(request, values, already) {
      const answered = await send(await asAdmin(request, values), false);
      if (already.includes(answered.answer.status)) return false;
      requireSuccess(answered, asker);
      return true;
    },
    async ask(request, values) {
      return reply(await send(prepare(settings, request, values), true), 'the value');
    },
  };
}

interface Answered {
  prepared: PreparedRequest;
  answer: Answer;
}

function requireSuccess({ prepared, answer }: Answered, asker: Asker): void {
  if (answer.status < 200 || answer.status >= 300) throw refusal(prepared, answer, asker);
}

function reply(answered: Answered, asker: Asker): Reply {
  requireSuccess(answered, asker);
  const { prepared, answer } = answered;
  return {
    title: prepared.title,
    url: prepared.url,
    headers: answer.headers,
    json: () => readJson(prepared, answer),
  };
}

/** The login's text without the newline that editors leave. */
async function readLogin(context: KindContext, { auth, base }: HttpSettings): Promise<string> {
  const name = auth.login;
  const { origin } = new URL(base);
  const text = secretText(await context.login(name, origin), `the login ${name}`).replace(/[\r\n]+$/, '');
  if (text === '')
    throw new RotateError('BadConfig', `the login ${name} is empty`, {
      hint: `write it into the file that \`logins.${name}\` of worker.yaml names`,
    });
  return text;
}
