#!/bin/sh
# All checks and the tests: `npm test`. Sets up what it needs first; arguments go to vitest.
#
#   --faults   the long tests of faults instead: `npm run test:faults`
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
# What was just built is what they run, where they run it as a program.
ROTATE_BUILT=1
export ROTATE_BUILT
if [ "${1:-}" = --faults ]; then
  shift
  exec vitest run --project faults "$@"
fi
exec vitest run --project units --project pure --project lab "$@"
