/** A host of the lab as seen from outside: its first process, its files behind /proc, its network. */
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // Processes end while one looks: ESRCH is what reading of one that has ended gives.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
}

/**
 * The process on this machine that is PID 1 of the host whose folder in the lab is given; undefined while it is
 * off or reboots. A reboot changes it.
 */
export function leaderOf(hostFolder: string): number | undefined {
  const [pid, startTime] = (read(join(hostFolder, 'nspawn.pid')) ?? '').trim().split(' ');
  if (pid === undefined || startTime === undefined) return undefined;
  // The number may have been given to another process; field 22, counted from behind the command's `)`.
  const stat = read(`/proc/${pid}/stat`);
  if (stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] !== startTime) return undefined;
  const queue = [pid];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (/^NSpid:.*\s1$/m.test(read(`/proc/${next}/status`) ?? '')) return Number(next);
    queue.push(
      ...(read(`/proc/${next}/task/${next}/children`) ?? '').split(' ').filter((child) => child !== ''),
    );
  }
  return undefined;
}

/** The name of the program that process `pid` runs; undefined when it has ended. */
export function programOf(pid: number): string | undefined {
  return read(`/proc/${pid}/comm`)?.trim();
}

/**
 * Where `path` lies when `root` is the root directory. `/proc/PID/root` alone does not do: absolute links, such as
 * agenix's `/run/agenix`, would lead into this machine's own files.
 * @throws Error with the code ELOOP, or that of the file system
 */
export function resolveIn(root: string, path: string): string {
  const left = path.split('/').reverse();
  let done: string[] = [];
  let links = 0;
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const target = linkTarget(join(root, ...done, part));
    if (target === undefined) {
      done.push(part);
      continue;
    }
    links += 1;
    if (links > 40) throw Object.assign(new Error(`too many links: ${path}`), { code: 'ELOOP' });
    if (target.startsWith('/')) done = [];
    left.push(...target.split('/').reverse());
  }
  return join(root, ...done);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EINVAL') return undefined; // no link
    throw error;
  }
}

/** Names and their addresses, as in an /etc/hosts; the first line that has a name wins. */
export function parseHosts(text: string): Map<string, string> {
  const addresses = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address === undefined || address === '') continue;
    for (const name of names) if (!addresses.has(name)) addresses.set(name, address);
  }
  return addresses;
}

/** The network namespace of `name` in the lab whose folder is given; it outlives reboots. */
export function networkOf(labState: string, name: string): string {
  const number = read(join(labState, 'net'))?.trim();
  if (number === undefined) throw new Error(`there is no lab in ${labState}`);
  return `/run/netns/rl${number}-${name}`;
}
