#!/usr/bin/env bash
# Checks the lab itself: what tests rely on is there and behaves as on NixOS. Run it after a change to
# this folder: bash infra/lab/selfcheck.sh (about half a minute; the tests of the project do not run it).
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
work=$(mktemp -d)
export LAB=selfcheck
lab() { "$here/lab.sh" "$@"; }
other() { LAB=selfcheck2 "$here/lab.sh" "$@"; }
trap 'lab down; other down; rm -rf "$work"' EXIT

started=0
step() { started=$(date +%s%N); printf '%-64s' "$1"; }
ok() { printf 'ok  %5d ms\n' $((($(date +%s%N) - started) / 1000000)); }
fail() { echo "FAILED: $*"; exit 1; }
is() { [ "$1" = "$2" ] || fail "got '$1' instead of '$2'"; }
has() { grep -qF -- "$2" <<<"$1" || fail "no '$2' in: $1"; }

fleet=$work/fleet
unit() { jq -n --arg l "$1" --arg run "$2" '{
  "web-1": {label: $l, secrets: {"db": {owner: "app"}, "soft": {restartUnits: ["soft.service"]}},
    scripts: {app: $run},
    services: {
      app: {wantedBy: ["multi-user.target"], restartTriggers: ["@file:db@"],
        serviceConfig: {User: "app", EnvironmentFile: "@path:db@", ExecStart: "/bin/sh @script:app@"}},
      plain: {wantedBy: ["multi-user.target"], serviceConfig: {ExecStart: "/opt/lab/sw/bin/sleep infinity"}},
      soft: {wantedBy: ["multi-user.target"], serviceConfig: {ExecStart: "/opt/lab/sw/bin/sleep infinity"}}}},
  "db-1": {postgresql: {initialScript: "CREATE ROLE x;"}}}' > "$fleet/hosts.json"; }
seal() { printf '%s\n' "$2" | age -R "$LAB_DIR/hosts/web-1/ssh_host_ed25519_key.pub" -o "$fleet/secrets/$1.age"; }
commit() { git -C "$fleet" add -A; git -C "$fleet" -c user.name=lab -c user.email=lab@lab commit -qm "$1"; rev=$(git -C "$fleet" rev-parse HEAD); }
ref() { echo "git+file://$fleet?rev=$rev#$1"; }
main_pid() { lab ssh web-1 "systemctl show -P MainPID $1"; }

lab down; other down
step "the base image is there, and a lab of two hosts comes up"
lab up web-1 db-1 | cat                       # the pipe must close: nothing of ours is left on it
ok
LAB_DIR=$(lab inventory | jq -r .state)
web=$(lab inventory | jq -r '.hosts[] | select(.name == "web-1").address')
cp -r "$here/flake" "$fleet"; mkdir "$fleet/secrets"; git -C "$fleet" init -q
eval "$(lab env)"
cd "$work"

step "a host's PATH: coreutils and the like, no age, no jq, no psql"
has "$(lab ssh web-1 "for t in ls flock systemctl nix ssh runuser; do command -v \$t >/dev/null || exit 1; done; echo all")" all
has "$(lab ssh web-1 "for t in age jq psql git; do command -v \$t && exit 1; done; echo none")" none
has "$(lab ssh web-1 systemd-run --quiet --pipe --wait /bin/sh -c ls 2>&1 || true)" "not found"
is "$(lab ssh deploy@web-1 sudo -n id -u)" 0
ok

step "the configuration can be evaluated as a NixOS one"
seal db A=one; seal soft one; unit 1 'exec sleep infinity'; commit one
is "$(nix eval --json "$(ref web-1 | sed s/#web-1//)#nixosConfigurations.web-1.config.age.secrets.db.path")" '"/run/agenix/db"'
is "$(nix eval --json "$(ref web-1 | sed s/#web-1//)#nixosConfigurations.web-1.config.age.identityPaths")" '["/etc/ssh/ssh_host_ed25519_key"]'
ok

step "nixos-rebuild build leaves ./result, prints the path"
built=$(nixos-rebuild build --flake "$(ref web-1)" 2>/dev/null)
is "$(readlink result)" "$built"
ok

step "first generation on both"
lab install "git+file://$fleet?rev=$rev" web-1 db-1 2>/dev/null
is "$(lab ssh web-1 cat /run/agenix/db)" A=one
is "$(lab ssh web-1 stat -c %U:%a /run/agenix/db)" app:400
lab ssh db-1 "runuser -u postgres -- /usr/lib/postgresql/17/bin/psql -qXc 'select 1'" >/dev/null
ok

step "dry activation names the units"
seal db A=two; unit 2 'exec sleep infinity'; commit two
dry=$(nixos-rebuild dry-activate --flake "$(ref web-1)" --target-host "root@$web" 2>&1)
has "$dry" "would stop the following units: app.service"
has "$dry" "would start the following units: app.service"
is "$(lab ssh web-1 cat /run/agenix/db)" A=one
ok

step "a switch over sudo restarts what reads the secret, nothing else"
plain=$(main_pid plain) app=$(main_pid app)
nixos-rebuild switch --flake "$(ref web-1)" --target-host "deploy@$web" --sudo >/dev/null 2>&1
is "$(main_pid plain)" "$plain"
[ "$(main_pid app)" != "$app" ] || fail "app was not restarted"
is "$(lab ssh web-1 cat /run/agenix/db)" A=two
ok

step "activation-restart-list: restarted when the clear text changes"
soft=$(main_pid soft)
seal soft one; commit same
out=$(nixos-rebuild switch --flake "$(ref web-1)" --target-host "root@$web" 2>&1)
is "$(main_pid soft)" "$soft"
seal soft two; commit other
out=$(nixos-rebuild switch --flake "$(ref web-1)" --target-host "root@$web" 2>&1)
has "$out" "restarting the following units: soft.service"
ok

step "--build-host: nothing left here, closure copied back"
rm -f result; unit 3 'exec sleep infinity'; commit three
built=$(nixos-rebuild build --flake "$(ref web-1)" --build-host root@db-1 2>/dev/null)
[ ! -e result ] && [ ! -L result ] || fail "./result is there"
nix path-info "$built" >/dev/null
ok

step "a unit that fails: 4 from the switch, 1 from nixos-rebuild"
unit 4 'exit 1'; commit four
code=0; out=$(nixos-rebuild switch --flake "$(ref web-1)" --target-host "root@$web" 2>&1) || code=$?
is "$code" 1
has "$out" "warning: the following units failed: app.service"
code=0; lab ssh web-1 /run/current-system/bin/switch-to-configuration test >/dev/null 2>&1 || code=$?
is "$code" 4
ok

step "a secret that the host cannot open: 2, gone from the new generation"
unit 5 'exec sleep infinity'; cp "$fleet/secrets/db.age" "$work/db.age"
ssh-keygen -q -t ed25519 -N '' -f "$work/stranger"
printf 'A=lost\n' | age -R "$work/stranger.pub" -o "$fleet/secrets/db.age"; commit five
nixos-rebuild boot --flake "$(ref web-1)" --target-host "root@$web" >/dev/null 2>&1
code=0; lab ssh web-1 "$(nixos-rebuild build --flake "$(ref web-1)" 2>/dev/null)/bin/switch-to-configuration" test >/dev/null 2>&1 || code=$?
[ "$code" = 2 ] || [ "$code" = 4 ] || fail "exit $code"
! lab ssh web-1 test -e /run/agenix/db || fail "the secret is still there"
cp "$work/db.age" "$fleet/secrets/db.age"; commit back
nixos-rebuild switch --flake "$(ref web-1)" --target-host "root@$web" >/dev/null 2>&1
ok

step "a held lock and a failing boot loader: 1"
code=0; lab ssh web-1 'flock /run/nixos/switch-to-configuration.lock /run/current-system/bin/switch-to-configuration test' 2>/dev/null || code=$?
is "$code" 1
lab ssh web-1 touch /etc/lab/fail-boot
code=0; lab ssh web-1 /run/current-system/bin/switch-to-configuration switch 2>/dev/null || code=$?
is "$code" 1
lab ssh web-1 rm /etc/lab/fail-boot
ok

step "unknown options are refused with 2"
code=0; nixos-rebuild build --flake "$(ref web-1)" --no-such-thing 2>/dev/null || code=$?
is "$code" 2
ok

step "a reboot brings back the boot default, not what was tried"
unit 6 'exec sleep infinity'; commit six
before=$(lab ssh web-1 'readlink /run/current-system; cat /proc/sys/kernel/random/boot_id')
nixos-rebuild test --flake "$(ref web-1)" --target-host "root@$web" >/dev/null 2>&1
lab reboot web-1
after=$(lab ssh web-1 'readlink /run/current-system; cat /proc/sys/kernel/random/boot_id')
is "${after%%$'\n'*}" "${before%%$'\n'*}"
[ "$after" != "$before" ] || fail "the same boot id"
is "$(lab ssh web-1 systemctl is-active app)" active
ok

step "reboot --hard"
lab reboot web-1 --hard
is "$(lab ssh web-1 cat /run/agenix/db)" A=two
ok

step "cut and heal"
lab cut web-1
! timeout 2 ssh $NIX_SSHOPTS web-1 true 2>/dev/null || fail "still reachable"
lab heal web-1
lab ssh web-1 true
ok

step "a full disk, and space again"
lab fill web-1
! lab ssh web-1 'head -c 1000000 /dev/zero > /root/x' 2>/dev/null || fail "room left"
lab drain web-1
lab ssh web-1 'head -c 1000000 /dev/zero > /root/x'
ok

step "a second lab beside the first, with hosts of the same name"
other up web-1
[ "$(other inventory | jq -r .network)" != "$(lab inventory | jq -r .network)" ] || fail "the same network"
other ssh web-1 true; lab ssh web-1 true
other down
lab ssh web-1 true
ok

step "down after a crash of a supervisor leaves nothing"
kill -9 "$(cut -d' ' -f1 "$LAB_DIR/hosts/web-1/supervisor.pid")"
net=$(cat "$LAB_DIR/net")
cd /; lab down; lab down
[ ! -e "$LAB_DIR" ] || fail "$LAB_DIR is left"
[ ! -e "/sys/class/net/rl$net" ] || fail "the bridge is left"
! findmnt -rno TARGET | grep -qE "selfcheck|rl$net-" || fail "mounts are left"
! ls /run/netns | grep -q "^rl$net-" || fail "namespaces are left"
[ -z "$(find /sys/fs/cgroup -maxdepth 3 -path "*rotate-lab/rl$net*")" ] || fail "cgroups are left"
! pgrep -f "rl$net-" >/dev/null || fail "processes are left"
ok
