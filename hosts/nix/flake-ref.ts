/** Names one commit of a clone as a flake, so that nothing else can be built and no lock file is written. */
import { isAbsolute } from 'node:path';
import { RotateError } from '../../domain/failure.js';

export interface FlakeSource {
  /** Absolute path of a clone on the worker, bare or not. Its files are not looked at, only its objects. */
  repository: string;
  /** Full SHA, reachable from one of the clone's branches. */
  commit: string;
  /** Folder of flake.nix in the repo; `.` for its root. */
  flakeDir: string;
}

/**
 * `git+file:///clone?rev=SHA&allRefs=1&dir=…`. allRefs, because Nix otherwise wants the commit on HEAD.
 * @throws RotateError BadConfig, Internal
 */
export function flakeReference(source: FlakeSource): string {
  if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(source.commit))
    throw new RotateError('Internal', `${JSON.stringify(source.commit)} is not a commit`);
  if (!isAbsolute(source.repository)) throw new RotateError('Internal', 'the clone is not an absolute path');
  const path = source.repository.split('/').map(encodeURIComponent).join('/');
  const parts = source.flakeDir.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw new RotateError('BadConfig', `repo.flake leads out of the repo: ${source.flakeDir}`);
  const dir = parts.length === 0 ? '' : `&dir=${parts.map(encodeURIComponent).join('/')}`;
  return `git+file://${path}?rev=${source.commit}&allRefs=1${dir}`;
}

/** `configuration` as it may stand in `nixosConfigurations."…"`. @throws RotateError BadConfig */
export function configurationName(configuration: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(configuration))
    throw new RotateError('BadConfig', `${JSON.stringify(configuration)} cannot be a configuration's name`, {
      hint: 'letters, digits and ._+- only, as in nixosConfigurations.<name>',
    });
  return configuration;
}

/** `REFERENCE#nixosConfigurations."NAME"` with `attribute` below it. */
export function flakeAttribute(source: FlakeSource, configuration: string, attribute = ''): string {
  return `${flakeReference(source)}#nixosConfigurations."${configurationName(configuration)}"${attribute}`;
}

/** For every command of the new interface, whatever nix.conf says. */
export const nixFlags = ['--extra-experimental-features', 'nix-command flakes'] as const;
