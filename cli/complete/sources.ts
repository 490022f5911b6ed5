/** Names of what there is, for completion: from rotate.yaml, read quickly and believed as it stands. */
import { readFile } from 'node:fs/promises';

import type { LightConfig, LightSecret } from '../../config/light.js';
import { isEndState } from '../../domain/steps.js';
import type { Context } from '../context.js';
import { givenOptions, type Line } from '../words.js';
import type { Candidate, Sources } from './candidates.js';

export function makeSources(context: Context): Sources {
  const config = async (line: Line): Promise<LightConfig> => {
    const [{ requireWorkspace }, { readLight }] = await Promise.all([
      import('../workspace.js'),
      import('../../config/light.js'),
    ]);
    return readLight(await readFile(requireWorkspace(context, givenOptions(line)).file, 'utf8'));
  };
  const rotations = async (line: Line) => {
    const { knownRotations } = await import('./rotations.js');
    return knownRotations(context, givenOptions(line));
  };
  return {
    environment: async (line) => (await config(line)).environments.map((text) => ({ text })),
    policy: async (line) => (await config(line)).policies.map((text) => ({ text })),
    schedule: async (line) => inEnvironment(inside(line, (await config(line)).schedules)),
    tag: async (line) =>
      [...new Set(inside(line, (await config(line)).secrets).flatMap(({ tags }) => tags))].map((text) => ({
        text,
      })),
    host: async (line) => inEnvironment(inside(line, (await config(line)).hosts)),
    secret: async (line) => secretNames(inside(line, (await config(line)).secrets)),
    rotation: async (line) => (await rotations(line)).map(({ candidate }) => candidate),
    'open-rotation': async (line) => {
      const all = await rotations(line);
      const open = all.filter(({ state }) => state === undefined || !isEndState(state));
      // Where no server answers, an old one is at least an example of an id.
      return (open.length > 0 ? open : all).map(({ candidate }) => candidate);
    },
  };
}

/** What belongs to the environment that the line names. */
function inside<T extends { environment: string }>(line: Line, things: readonly T[]): readonly T[] {
  const asked = givenOptions(line).text('env');
  return asked === undefined ? things : things.filter(({ environment }) => environment === asked);
}

function inEnvironment(things: readonly { name: string; environment: string }[]): Candidate[] {
  return things.map(({ name, environment }) => ({ text: name, description: environment }));
}

/** By name alone where that says enough, then all in full. */
function secretNames(secrets: readonly LightSecret[]): Candidate[] {
  const full = secrets.map(({ environment, name, kind }) => ({
    text: `${environment}/${name}`,
    description: kind,
    means: `${environment}/${name}`,
  }));
  const short = secrets
    .filter(({ name }) => secrets.filter((other) => other.name === name).length === 1)
    .map(({ environment, name, kind }) => ({
      text: name,
      description: `${kind}, ${environment}`,
      means: `${environment}/${name}`,
    }));
  return [...short, ...full];
}
