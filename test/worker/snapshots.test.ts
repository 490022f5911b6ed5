/** Commits as a worker sees them that did not make them itself. */
import { expect, test } from 'vitest';
import { asRotateError } from '../../domain/failure.js';
import { Snapshots } from '../../worker/snapshots.js';
import { makeFleet } from '../repo/fixtures.js';

const yaml = `version: 1
environments: { prod: { store: agenix, rules: secrets/prod/secrets.nix } }
hosts: { web-1: { environment: prod } }
`;

const signal = AbortSignal.timeout(60_000);

test('a commit that another worker has pushed since the clone was made is fetched', async () => {
  const fleet = await makeFleet();
  const snapshots = new Snapshots(await fleet.worker(), []);
  const commit = await fleet.person({ 'rotate.yaml': yaml }, { branch: 'rotate/1', onto: 'origin/main' });
  const { config } = await snapshots.at(commit, signal);
  expect(config.hosts.map((host) => host.name)).toEqual(['web-1']);
});

test('a commit that nobody has pushed is told to be missing', async () => {
  const fleet = await makeFleet();
  const commit = 'c0ffee'.padEnd(40, '0');
  const failure = await new Snapshots(await fleet.worker(), []).at(commit, signal).catch(asRotateError);
  expect(failure).toMatchObject({ type: 'GitFailed', details: { missing: commit } });
});
