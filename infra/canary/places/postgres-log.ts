/**
 * PostgreSQL's log on its host, wherever the server writes it: the journal, or files of its logging collector. With
 * `log_statement = all` it holds every statement; the decoy is one, so its absence means that statements are not
 * logged and the search proves nothing.
 */
import type { CanaryHost } from '../host.js';
import { runOn, streamFrom } from '../host.js';
import { Inspector } from '../inspector.js';
import type { Place } from '../place.js';

export interface PostgresLogOptions {
  /** The server's unit; default `postgresql.service`. */
  unit?: string;
}

/** Reads statements on stdin; psql is beside the server's binary. */
function psql(unit: string): string {
  return (
    `bin=$(dirname "$(readlink -f /proc/$(systemctl show --property=MainPID --value ${unit})/exe)") && ` +
    `cd / && exec runuser -u postgres -- "$bin/psql" -qAtX -v ON_ERROR_STOP=1 postgres`
  );
}

export function postgresLogPlace(host: CanaryHost, options: PostgresLogOptions = {}): Place {
  const unit = options.unit ?? 'postgresql.service';
  const label = `PostgreSQL's log on ${host.name}`;
  async function logFolder(): Promise<string | undefined> {
    const settings = await runOn(
      host,
      psql(unit),
      'SHOW logging_collector; SHOW data_directory; SHOW log_directory;\n',
    );
    const [collector, data = '', folder = ''] = settings.split('\n');
    if (collector !== 'on') return undefined;
    return folder.startsWith('/') ? folder : `${data}/${folder}`;
  }
  return {
    name: label,
    async search(needles, signal) {
      const inspector = new Inspector(needles, signal);
      const folder = await logFolder();
      await inspector.stream(
        label,
        streamFrom(
          host,
          `journalctl --sync; journalctl --quiet --no-pager --all --output=export --unit=${unit}`,
        ),
      );
      if (folder !== undefined)
        await inspector.stream(label, streamFrom(host, `find "$(cat)" -type f -exec cat {} +`, folder));
      return inspector.hits;
    },
    async plant(decoy) {
      await runOn(host, psql(unit), `SELECT '${decoy}';\n`);
      return [label];
    },
  };
}
