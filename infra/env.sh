# Sourced (POSIX sh) by whatever runs the project's tools: where they are, without looking for them again.
#
#   . infra/env.sh     sets PATH, ROTATE_CACHE, ROTATE_TEMPORAL_CLI, ROTATE_TEST_SERVER, ROTATE_SOPS
#
# A sourced script cannot know where it lies: set ROTATE_ROOT first when the working directory is not
# the project's folder.

ROTATE_ROOT=${ROTATE_ROOT:-$PWD}
ROTATE_CACHE=${ROTATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rotate}
rotate_tools=$ROTATE_CACHE/tools/bin

# Node 24 from the dev dependency comes before the machine's own, and the pinned tools after what
# the user has put on PATH.
case :$PATH: in
  *":$ROTATE_ROOT/node_modules/.bin:"*) ;;
  *) PATH=$ROTATE_ROOT/node_modules/.bin:$PATH ;;
esac
case :$PATH: in
  *":$rotate_tools:"*) ;;
  *) PATH=$PATH:$rotate_tools ;;
esac

# A Temporal CLI that was named, or is on PATH, wins over the one in the cache (last on PATH).
if [ -z "${ROTATE_TEMPORAL_CLI:-}" ]; then ROTATE_TEMPORAL_CLI=$(command -v temporal || true); fi
if [ -z "${ROTATE_TEST_SERVER:-}" ]; then ROTATE_TEST_SERVER=$(command -v temporal-test-server || true); fi
if [ -z "${ROTATE_SOPS:-}" ]; then ROTATE_SOPS=$(command -v sops || true); fi

export PATH ROTATE_ROOT ROTATE_CACHE ROTATE_TEMPORAL_CLI ROTATE_TEST_SERVER ROTATE_SOPS
unset rotate_tools
