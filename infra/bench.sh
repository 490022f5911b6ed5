#!/bin/sh
# `npm run bench [-- NAME…]`: times what this project does against what people do without it.
set -eu
cd "$(dirname "$0")/.."
ROTATE_ROOT=$PWD
export ROTATE_ROOT
sh infra/setup.sh --lab
. infra/env.sh
npm run --silent build
exec node dist/test/bench/main.js "$@"
