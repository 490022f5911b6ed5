#!/bin/sh
# `npm run demo [-- --keep]`: boots a small fleet and rotates a real password in it, with proof.
set -eu
cd "$(dirname "$0")/.."
ROTATE_ROOT=$PWD
export ROTATE_ROOT
sh infra/setup.sh --lab
. infra/env.sh
npm run --silent build
exec node dist/infra/demo/main.js "$@"
