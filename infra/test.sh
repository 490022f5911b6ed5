#!/bin/sh
# All checks and all tests: `npm test`. Sets up what it needs first; arguments go to vitest.
set -eu
cd "$(dirname "$0")/.."
ROTATE_ROOT=$PWD
export ROTATE_ROOT
sh infra/setup.sh --lab
. infra/env.sh

echo '== build'
rm -rf dist
npm run --silent build
echo '== lint'
npm run --silent lint
echo '== format'
npm run --silent format:check
echo '== tests'
exec vitest run "$@"
