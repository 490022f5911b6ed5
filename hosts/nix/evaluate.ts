/** Reads from a host's own configuration what it does with secrets: agenix's options, as they evaluate. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { RotateError } from '../../domain/failure.js';
import { knownFailure, lastLines, nixError } from './failures.js';
import { flakeAttribute, nixFlags, withFlake } from './flake-ref.js';
import type { FlakeSource } from './flake-ref.js';
import { nixEnvironment, runProgram } from './process.js';
import type { Progress } from './process.js';

export interface EvaluateRequest extends FlakeSource, Progress {
  configuration: string;
  /** Ciphertexts of the repo at that commit, by path relative to its root; only these can be found again. */
  files: ReadonlyMap<string, Uint8Array>;
  environment?: NodeJS.ProcessEnv;
  /** Default 15 min. */
  timeoutMs?: number;
}

export interface InstalledSecret {
  /** Attribute of age.secrets. */
  name: string;
  /** Its ciphertext in the repo; absent when it is none of the given files. */
  file?: string;
  /** Where it is installed on the host. */
  path: string;
  /** Name or number. */
  owner: string;
  group: string;
  /** e.g. `0400`. */
  mode: string;
}

export interface SecretsConfiguration {
  /** Path of age on the host. Absent: the configuration has no agenix. */
  ageBin?: string;
  /** Identities on the host that open its files. */
  identityPaths: string[];
  secrets: InstalledSecret[];
}

/** Nothing of a name or a path is pasted in: it is the same text for every host. */
const expression = `c:
let age = c.config.age or { }; in {
  ageBin = if age ? ageBin then toString age.ageBin else null;
  identityPaths = map toString (age.identityPaths or [ ]);
  secrets = builtins.attrValues (builtins.mapAttrs (name: s: {
    inherit name;
    file = toString s.file;
    sha256 = builtins.hashFile "sha256" s.file;
    path = toString s.path;
    owner = toString s.owner;
    group = toString s.group;
    mode = toString s.mode;
  }) (age.secrets or { }));
}`;

const shape = z.object({
  ageBin: z.string().nullable(),
  identityPaths: z.array(z.string()),
  secrets: z.array(
    z.object({
      name: z.string(),
      file: z.string(),
      sha256: z.string(),
      path: z.string(),
      owner: z.string(),
      group: z.string(),
      mode: z.string(),
    }),
  ),
});

/** One evaluation. @throws RotateError BuildFailed (it does not evaluate), BadConfig, NoSpace, Timeout */
export async function evaluate(request: EvaluateRequest): Promise<SecretsConfiguration> {
  return await withFlake(request, async (place) => {
    const { code, stdout, stderr } = await runProgram(
      'nix',
      [
        ...nixFlags,
        'eval',
        '--json',
        '--no-update-lock-file',
        flakeAttribute(place, request.configuration),
        '--apply',
        expression,
      ],
      {
        ...request,
        cwd: place.cwd,
        env: nixEnvironment(request.environment ?? process.env),
        timeoutMs: request.timeoutMs ?? 15 * 60_000,
      },
    );
    if (code !== 0) throw evaluationFailure(request, stderr);
    const found = shape.parse(JSON.parse(stdout));
    const known = hashes(request.files);
    return {
      ...(found.ageBin === null ? {} : { ageBin: found.ageBin }),
      identityPaths: found.identityPaths,
      secrets: found.secrets.map(({ file, sha256, ...secret }) => {
        const inRepo = repoPath(file, sha256, known);
        return { ...secret, ...(inRepo === undefined ? {} : { file: inRepo }) };
      }),
    };
  });
}

/**
 * The file of the repo that a store path is a copy of: `/nix/store/…-source/secrets/x.age` by its path, a lone
 * `/nix/store/…-x.age` by its name; the content decides in both cases, since another flake's files look alike.
 */
export function repoPath(
  storePath: string,
  sha256: string,
  files: ReadonlyMap<string, string>,
): string | undefined {
  const same = [...files].filter(([, hash]) => hash === sha256).map(([path]) => path);
  const inside = /^\/nix\/store\/[^/]+\/(.+)$/.exec(storePath)?.[1];
  if (inside !== undefined && same.includes(inside)) return inside;
  const name = /^\/nix\/store\/[^/-]+-([^/]+)$/.exec(storePath)?.[1];
  return same.find((path) => path.split('/').at(-1) === name) ?? same[0];
}

function hashes(files: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, string> {
  return new Map([...files].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]));
}

function evaluationFailure(request: EvaluateRequest, stderr: string): RotateError {
  const known = knownFailure(stderr, 'the worker');
  if (known?.type === 'NoSpace') return known;
  return new RotateError(
    'BuildFailed',
    `cannot evaluate ${request.configuration} at ${request.commit.slice(0, 12)}: ${nixError(stderr)}`,
    { hint: 'run nix flake check on that commit', details: { output: lastLines(stderr) } },
  );
}
