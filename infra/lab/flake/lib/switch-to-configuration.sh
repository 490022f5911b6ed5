#!/bin/sh
# switch-to-configuration with the order, the files, the words and the exit codes of NixOS's own
# (pkgs/by-name/sw/switch-to-configuration-ng in nixpkgs):
#   0 done · 1 refused: usage, lock held, boot loader · 2 activation failed · 4 some unit failed
#   · 100 needs a reboot
#
# A host may have, to provoke what goes wrong: /etc/lab/slow (seconds between stopping and starting
# units), /etc/lab/fail-boot, /etc/lab/fail-activation; or in its description the knobs slow,
# failBoot, failActivation.
# First of all: units and transient units have no coreutils on theirs.
PATH=/opt/lab/sw/bin
export PATH
top=$(readlink -f "$0")
top=${top%/*/*}
LC_ALL=C
export LC_ALL

action=${1:-}
case $action in
  check|switch|boot|test|dry-activate) ;;
  *)
    cat >&2 <<T
Usage: switch-to-configuration [check|switch|boot|test|dry-activate]
check:        run pre-switch checks and exit
switch:       make the configuration the boot default and activate now
boot:         make the configuration the boot default
test:         activate the configuration, but don't make it the boot default
dry-activate: show what would be done if this configuration were activated
T
    exit 1 ;;
esac
[ "$(id -u)" = 0 ] || { echo "Error: switch-to-configuration must be run as the root user" >&2; exit 1; }
[ -f /etc/NIXOS ] || { echo "This is not a NixOS installation!" >&2; exit 1; }
mkdir -p /run/nixos
exec 9>>/run/nixos/switch-to-configuration.lock || { echo "Could not open lock" >&2; exit 1; }
flock -n 9 || { echo "Could not acquire lock" >&2; exit 1; }
export NIXOS_ACTION="$action"
knob() {
  while IFS='=' read -r key value; do
    if [ "$key" = "$1" ]; then printf %s "$value"; return; fi
  done < "$top/lab/knobs"
}
[ "$action" != check ] || exit 0

case $action in switch|boot)
  if [ -e /etc/lab/fail-boot ] || [ "$(knob failBoot)" = true ]; then
    echo "Failed to install bootloader" >&2
    exit 1
  fi
  mkdir -p /boot/loader
  echo "$top" > /boot/loader/default.new && mv /boot/loader/default.new /boot/loader/default || exit 1
esac
[ "$action" != boot ] || exit 0

if [ -e /run/current-system/init-interface-version ] \
   && ! cmp -s /run/current-system/init-interface-version "$top/init-interface-version"; then
  cat >&2 <<T
Warning: the new NixOS configuration has an 'init' that is
incompatible with the current configuration.  The new configuration
won't take effect until you reboot the system.

T
  exit 100
fi

# --- sets of units, kept as files in a scratch folder ---
work=$(mktemp -d /run/nixos/switch.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
for s in stop start restart reload skip; do : > "$work/$s"; done
has() { grep -qxF "$2" "$work/$1"; }
add() { has "$1" "$2" || echo "$2" >> "$work/$1"; }
drop() { grep -vxF "$2" "$work/$1" > "$work/tmp"; mv "$work/tmp" "$work/$1"; }
some() { [ -s "$work/$1" ]; }
say() { echo "$1: $(sort -f "$work/$2" | paste -sd, | sed 's/,/, /g')" >&2; }
# Lists on disk let the next switch finish what an interrupted one had begun.
record() { [ "$action" = dry-activate ] || echo "$2" >> "/run/nixos/$1-list"; }
for s in start restart reload; do
  if [ -e "/run/nixos/$s-list" ]; then sort -u "/run/nixos/$s-list" | sed '/^$/d' > "$work/$s"; fi
done

states() {
  systemctl list-units --all --plain --no-legend --full > "$work/units" || { echo "Error: cannot list units" >&2; exit 1; }
  awk '{print $1, $3, $4}' "$work/units"
}
states > "$work/states"
actives=" $(awk '$2 ~ /^(active|activating|reloading)$/ { printf "%s ", $1 }' "$work/states")"
active() { case $actives in *" $1 "*) ;; *) return 1 ;; esac }

# Does section $2 of unit file $1 set the key $3 to the boolean $4?
flag() {
  awk -v want="$2" -v key="$3" '
    /^\[/ { s = substr($0, 2, index($0, "]") - 2); next }
    s == want && index($0, key "=") == 1 { v = tolower(substr($0, length(key) + 2)) }
    END { print v }' "$1" | grep -qxE "$4"
}
yes='1|yes|true|on' no='0|no|false|off'

# A unit file without what never matters (and, for `run`, without what a reload suffices for).
matter() {
  awk -v what="$1" '
    /^[#;]/ || /^$/ { next }
    /^\[/ { s = $0; next }
    { k = substr($0, 1, index($0, "=") - 1) }
    s == "[Install]" { next }
    s == "[Unit]" && k ~ /^(Description|Documentation|OnFailure|OnSuccess|OnFailureJobMode|IgnoreOnIsolate|StopWhenUnneeded|RefuseManualStart|RefuseManualStop|AllowIsolate|CollectMode|SourcePath)$/ { next }
    what == "run" && s == "[Unit]" && k == "X-Reload-Triggers" { next }
    what == "run" && s == "[Service]" && k == "ExecReload" { next }
    { print s, $0 }' "$2"
}

# What is to be done with an active unit whose file changed, or that activation asks to restart ($3).
modified() {
  unit=$1 file=$2 asked=${3:-}
  case $unit in
    sysinit.target|basic.target|multi-user.target|graphical.target|*.path|*.slice|*.socket) return ;;
  esac
  if flag "$file" Service X-ReloadIfChanged "$yes" && ! has restart "$unit" && ! has stop "$unit"; then
    add reload "$unit"; record reload "$unit"
  elif flag "$file" Service X-RestartIfChanged "$no" || flag "$file" Unit RefuseManualStop "$yes" \
       || flag "$file" Unit X-OnlyManualStart "$yes"; then
    add skip "$unit"
  else
    if [ -n "$asked" ] || flag "$file" Service X-StopIfChanged "$no" || [ "${unit%.service}" = "$unit" ]; then
      add restart "$unit"; record restart "$unit"
    else
      add stop "$unit"; add start "$unit"; record start "$unit"
    fi
    drop reload "$unit"
  fi
}

# Only units of ours: linked into the store.
for u in $(find /etc/systemd/system -maxdepth 1 -lname '/nix/store/*' -printf '%f\n' | sort); do
  f=/etc/systemd/system/$u
  new=$top/etc/systemd/system/$u
  active "$u" || continue
  if [ ! -e "$new" ]; then
    flag "$f" Unit X-StopOnRemoval "$no" || add stop "$u"
  else
    matter run "$f" > "$work/a"; matter run "$new" > "$work/b"
    if ! cmp -s "$work/a" "$work/b"; then
      modified "$u" "$new"
    else
      matter all "$f" > "$work/a"; matter all "$new" > "$work/b"
      if ! cmp -s "$work/a" "$work/b"; then add reload "$u"; record reload "$u"; fi
    fi
  fi
done

# What the activation script (sops-nix, say) asks for: $1 is the file's prefix.
asked() {
  if [ -e "/run/nixos/$1-restart-list" ]; then
    for u in $(sort -u "/run/nixos/$1-restart-list"); do
      if active "$u"; then
        [ -e "$top/etc/systemd/system/$u" ] && modified "$u" "$top/etc/systemd/system/$u" asked
      else
        add start "$u"; record start "$u"
      fi
    done
    rm -f "/run/nixos/$1-restart-list"
  fi
  if [ -e "/run/nixos/$1-reload-list" ]; then
    for u in $(sort -u "/run/nixos/$1-reload-list"); do
      if active "$u" && ! has restart "$u" && ! has stop "$u"; then add reload "$u"; record reload "$u"; fi
    done
    rm -f "/run/nixos/$1-reload-list"
  fi
}

if [ "$action" = dry-activate ]; then
  ! some stop || say "would stop the following units" stop
  ! some skip || say "would NOT stop the following changed units" skip
  echo "would activate the configuration..." >&2
  "$top/dry-activate" "$top" 9>&-
  asked dry-activation
  ! some reload || say "would reload the following units" reload
  ! some restart || say "would restart the following units" restart
  ! some start || say "would start the following units" start
  exit 0
fi

logger -t nixos "switching to system configuration $top"
code=0
if some stop; then
  say "stopping the following units" stop
  xargs systemctl stop -- < "$work/stop"
fi
! some skip || say "NOT restarting the following changed units" skip

slow=$(cat /etc/lab/slow 2>/dev/null || knob slow)
[ -z "$slow" ] || sleep "$slow"

echo "activating the configuration..." >&2
"$top/activate" "$top" 9>&- >&2 || { echo "Failed to run activate script" >&2; code=2; }
asked activation

systemctl reset-failed
systemctl daemon-reload

for u in $(cat "$work/reload"); do
  # Stopped meanwhile, because it needs something that was stopped: it is to be started, then.
  systemctl is-active -q "$u" || { drop reload "$u"; add start "$u"; record start "$u"; }
done
if some reload; then
  say "reloading the following units" reload
  xargs systemctl reload -- < "$work/reload" || code=4
fi
rm -f /run/nixos/reload-list
if some restart; then
  say "restarting the following units" restart
  xargs systemctl restart -- < "$work/restart" || code=4
fi
rm -f /run/nixos/restart-list
if some start; then
  say "starting the following units" start
fi
# The target pulls in units that are new; NixOS starts it always and does not say so.
{ echo multi-user.target; cat "$work/start"; } | xargs systemctl start -- || code=4
rm -f /run/nixos/start-list

# A unit may fail a moment after it was started.
sleep 0.3
states > "$work/after"
: > "$work/failed"; : > "$work/new"
# Most are as they were; what is left is looked at one by one.
awk 'NR == FNR { if ($2 ~ /^(active|activating|reloading)$/) was[$1] = 1; next }
  $1 ~ /\.scope$/ { next }
  $2 == "failed" { print $1, "failed"; next }
  $3 == "auto-restart" { print $1, "restarts"; next }
  $2 ~ /^(active|activating)$/ && !($1 in was) { print $1, "new" }' "$work/states" "$work/after" > "$work/told"
while read -r u how; do
  if [ "$how" = restarts ]; then
    if [ "$(systemctl show -P ExecMainStatus "$u")" != 0 ]; then how=failed
    elif active "$u"; then continue
    else how=new
    fi
  fi
  add "$how" "$u"
done < "$work/told"
! some new || say "the following new units were started" new
if some failed; then
  say "warning: the following units failed" failed
  xargs systemctl status --no-pager --full -- < "$work/failed" >&2
  code=4
fi
if [ "$code" = 0 ]; then
  logger -t nixos "finished switching to system configuration $top"
else
  logger -t nixos "switching to system configuration $top failed (status $code)"
fi
exit "$code"
