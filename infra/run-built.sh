#!/bin/sh
# run-built.sh PROGRAM [ARGUMENT…]: sets up the machine and the lab, builds, and runs one of dist/: `npm run demo`,
# `npm run bench`.
set -eu
cd "$(dirname "$0")/.."
ROTATE_ROOT=$PWD
export ROTATE_ROOT
sh infra/setup.sh --lab
. infra/env.sh
npm run --silent build
program=$1
shift
exec node "dist/$program" "$@"
