import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { discover } from '../../repo/discover.js';
import { gitAt, gitEnvironment } from '../../repo/git.js';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'rotate-discover-')));
});
afterAll(() => rm(folder, { recursive: true }));

test('a folder outside of any repo is told as that', async () => {
  await expect(discover(folder)).rejects.toMatchObject({
    type: 'Usage',
    message: `${folder} is in no git working tree`,
    hint: expect.stringContaining('clone'),
  });
});

test('a repo that git refuses to read is not told as missing', async () => {
  const repo = await mkdtemp(join(folder, 'repo-'));
  await gitAt({ environment: gitEnvironment(process.env), cwd: repo })({ args: ['init', '--quiet'] });
  expect(await discover(repo)).toMatchObject({ root: repo });
  await writeFile(join(repo, '.git', 'config'), 'no config\n');
  await expect(discover(repo)).rejects.toMatchObject({
    type: 'GitFailed',
    message: expect.stringMatching(/^git rev-parse failed: .*bad config line 1/),
    hint: expect.stringContaining(`git -C ${repo} status`),
  });
});
