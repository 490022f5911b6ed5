#!/bin/sh
# The lab: a small fleet on this machine, for people and for tests. See infra/lab/README.md.
exec bash "$(dirname "$0")/lab/lab.sh" "$@"
