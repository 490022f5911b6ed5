/** Who asks, for the record. Not an authentication: that is the codec key. */
import { hostname, userInfo } from 'node:os';

export function who(env: NodeJS.ProcessEnv): string {
  return `${env['SUDO_USER'] ?? userInfo().username}@${hostname()}`;
}
