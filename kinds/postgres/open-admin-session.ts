/** Picks the way in that `admin` names. */
import type { KindContext } from '../kind.js';
import { hostSession } from './admin-host.js';
import { loginSession } from './admin-login.js';
import type { AdminSession } from './admin-session.js';
import type { PostgresSettings } from './schema.js';

/** A session as `admin` says. Connects when it is used. */
export function openAdminSession(context: KindContext, settings: PostgresSettings): AdminSession {
  const { admin } = settings;
  return 'host' in admin
    ? hostSession(context, settings.endpoints, admin)
    : loginSession(context, admin.login);
}
