/**
 * What runs on the host while a system is switched. It is written there as one file and started twice by
 * systemd-run: `job switch` is the job, `job undo` is the dead man that waits beside it. Neither needs the worker.
 *
 * Files of a job in /var/lib/rotate/jobs/ID (and under /run/rotate/ID when that disk is full):
 *   job           this script, with its request as the first lines
 *   old, old-profile, old-boot   what ran, was in the profile and would have booted before the first attempt
 *   failed.before units that had failed before
 *   switching     boot id of an attempt that has begun to switch
 *   ended         monotonic clock at the end of the switch; the dead man counts from it
 *   result        how it ended; the job has nothing more to do
 *   settled       the dead man has nothing more to do (confirmed, undone, …)
 *   undone        the dead man has put the old system back
 *
 * One lock (/run/rotate.lock) is held for fence check, compare-and-swap, profile and switch together; whoever
 * undoes or confirms takes the same.
 */
import type { Fence } from '../../domain/fence.js';
import { assertId, assertStorePath, encodeName, stateDirectory, systemProfile } from '../remote-paths.js';
import { bootDefault, failedUnits, monotonicClock, resolveLink } from '../shell-library.js';
import { scriptPrologue, shellQuote } from '../ssh/shell.js';
import { assertUnit } from '../unit-state.js';

export interface JobRequest {
  /** Names unit, folder and result: the same id again attaches or reads the result. */
  jobId: string;
  /** Systems that may be running now (besides `to`); anything else is someone else's and left alone. */
  from: readonly string[];
  /** The system to run, boot and have in the profile. Its closure is on the host already. */
  to: string;
  /** Secrets whose fence this raises, as `prod/db-password`. */
  secrets: readonly string[];
  fence: Fence;
  /** Milliseconds after the end of the switch until the old system is put back unless confirmed; 0: never. */
  deadManMs: number;
  /** Both systems are kept from garbage collection until this id is unpinned. */
  pin: string;
  /** Whether a switch that failed is undone at once. Default `undo`. */
  onFailure?: 'undo' | 'keep';
  /** Units whose failure in the switch says nothing about it: they are started again afterwards, and judged then. */
  tolerate?: readonly string[];
  /** A switch that takes longer counts as hung and is undone. Default 20 min. */
  limitMs?: number;
}

/** The whole script for one request. @throws RotateError Internal for values that must not reach a shell */
export function jobScript(request: JobRequest): string {
  const values = {
    id: assertId(request.jobId),
    to: assertStorePath(request.to),
    from: request.from.map(assertStorePath).join(' '),
    secrets: request.secrets.map(encodeName).join(' '),
    epoch: String(request.fence.epoch),
    seq: String(request.fence.seq),
    dead_man_ms: String(Math.ceil(request.deadManMs)),
    limit_ms: String(Math.ceil(request.limitMs ?? 20 * 60_000)),
    pin: assertId(request.pin),
    on_failure: request.onFailure ?? 'undo',
    tolerated: (request.tolerate ?? []).map(assertUnit).join(' '),
  };
  const header = Object.entries(values).map(([key, value]) => `${key}=${shellQuote(value)}`);
  return `#!/bin/sh\n${scriptPrologue}${header.join('\n')}\n${jobLibrary}${switchBody}`;
}

/** Shared with the scripts that the worker sends (start, status, confirm). Wants `$id`. */
export const jobLibrary = `
HOME=/root; export HOME
state=${stateDirectory}
d=$state/jobs/$id
run=/run/rotate/$id
profile=${systemProfile}
nixos_lock=/run/nixos/switch-to-configuration.lock
${monotonicClock}${bootDefault}${resolveLink}${failedUnits}
# put FILE TEXT: whole or not at all, also when the power fails.
put() {
  if printf '%s\\n' "$2" | cat > "$1.new" && sync "$1.new" && mv -f "$1.new" "$1"; then
    sync "\${1%/*}" 2>/dev/null || :
  else
    rm -f "$1.new"
    return 1
  fi
}
# keep NAME TEXT: among the job's files, or in memory when the disk is full.
keep() {
  put "$d/$1" "$2" 2>/dev/null || { mkdir -p "$run" && put "$run/$1" "$2"; }
}
# kept NAME: prints what \`keep\` wrote.
kept() {
  if [ -e "$d/$1" ]; then cat "$d/$1"; elif [ -e "$run/$1" ]; then cat "$run/$1"; else return 1; fi
}
forget() {
  for _n in "$@"; do rm -f "$d/$_n" "$run/$_n"; done
}
nixos_busy() {
  mkdir -p /run/nixos
  if ( flock -n 9 ) 9>>"$nixos_lock"; then return 1; else return 0; fi
}
unit_runs() {
  case $(systemctl show --property=ActiveState --property=Job "$1") in
    *ActiveState=active* | *ActiveState=activating* | *ActiveState=reloading* | *ActiveState=deactivating* | *Job=[1-9]*) return 0 ;;
    *) return 1 ;;
  esac
}
`;

const switchBody = `
say() { echo "rotate: $*"; }
rc='' newly='' units='' undone=0 undo_rc='' stored='' detail='' armed=0
# finish OUTCOME: writes the result and ends. The last thing that a job does.
finish() {
  detail=$(printf %s "$detail" | tr '\\n' ' ')
  keep result "outcome=$1
to=$to
rc=$rc
newlyFailed=$newly
units=$units
undone=$undone
undoRc=$undo_rc
current=$(resolve /run/current-system)
stored=$stored
detail=$detail
ended=$(kept ended || monotonic_us)" || say "cannot write the result"
  case $armed,$1 in
    *,already | *,failed | 1,[!s]* | 1,superseded)
      # It waits for the lock that we hold, so it is not stopped half-way.
      keep settled "$1"
      systemctl stop "rotate-$id-undo.service" 2>/dev/null || :
      ;;
  esac
  say "job $id ended: $1"
  exit 0
}
# full TEXT: does this error mean that a disk is full?
full() {
  case $1 in *'No space left on device'* | *'Disk quota exceeded'* | *'disk is full'*) return 0 ;; *) return 1 ;; esac
}
# Output: of this unit, since it began.
log() {
  journalctl --sync 2>/dev/null || :
  journalctl --quiet --no-pager --output=cat "_SYSTEMD_INVOCATION_ID=\${INVOCATION_ID:-none}" 2>/dev/null || :
}
list() { sed -n "s/^$1: //p" | tr ', ' '\\n\\n' | sed '/^$/d' | sort -u; }
# As nixos-rebuild runs them: with the usual umask; and without our lock, which a daemon might keep open.
set_profile() {
  [ "$(resolve "$profile")" = "$1" ] || ( umask 022; exec nix-env --profile "$profile" --set "$1" ) 8>&-
}
activate() { ( umask 022; exec "$1/bin/switch-to-configuration" "$2" ) 8>&-; }

# Puts back what the first attempt found, by store path: profile, running system and boot default.
put_back() {
  _old=$(kept old) _profile=$(kept old-profile) _boot=$(kept old-boot)
  say "putting back $_old"
  _tries=0
  while :; do
    [ -z "$_profile" ] || set_profile "$_profile" || say "cannot set the profile to $_profile"
    undo_rc=0
    activate "$_old" switch || undo_rc=$?
    _tries=$((_tries + 1))
    # Someone's switch may hold NixOS's own lock for a while.
    if [ "$undo_rc" != 1 ] || [ "$_tries" -ge 40 ] || ! nixos_busy; then break; fi
    sleep 3
  done
  case $_boot in
    '' | "$_old") ;;
    *) activate "$_boot" boot || say "cannot make $_boot the boot default again" ;;
  esac
  undone=0
  if [ "$(resolve /run/current-system)" = "$_old" ] &&
    { [ -z "$_profile" ] || [ "$(resolve "$profile")" = "$_profile" ]; }; then
    case $undo_rc in 0 | 4) undone=1 ;; esac
  fi
}

do_switch() {
  mkdir -p "$run"
  exec 8>>/run/rotate.lock || finish busy
  flock -n 8 || { detail='another rotate job, or its undo, is under way'; finish busy; }

  # The fence: a late attempt is refused here, also when there would be nothing to do.
  mkdir -p "$state/fence" || finish no-space
  for _s in $secrets; do
    _f=$state/fence/$_s
    [ -e "$_f" ] || continue
    stored=
    read -r stored < "$_f" || :
    case $stored in
      *[!0-9.]* | .* | *. | *.*.* | '') detail="the fence file $_f is damaged"; finish broken ;;
      *.*) ;;
      *) detail="the fence file $_f is damaged"; finish broken ;;
    esac
    if [ "\${stored%.*}" -gt "$epoch" ] || { [ "\${stored%.*}" -eq "$epoch" ] && [ "\${stored#*.}" -gt "$seq" ]; }; then
      detail=$_s
      finish superseded
    fi
  done
  stored=
  for _s in $secrets; do
    _f=$state/fence/$_s
    if [ -e "$_f" ] && [ "$(cat "$_f")" = "$epoch.$seq" ]; then continue; fi
    _err=$(put "$_f" "$epoch.$seq" 2>&1) || {
      detail="cannot write $_f: $_err"
      if full "$_err"; then finish no-space; else finish broken; fi
    }
  done

  current=$(resolve /run/current-system)
  _known=0
  for _p in $from "$to"; do
    [ "$current" != "$_p" ] || _known=1
  done
  [ "$_known" = 1 ] || finish moved
  [ -x "$to/bin/switch-to-configuration" ] || finish absent

  # From here on this job answers for the host: a dead man of an earlier one stands down.
  put /run/rotate/owner "$id" || finish no-space
  _boot_id=$(cat /proc/sys/kernel/random/boot_id)
  _begun=$(kept switching || :)
  if [ ! -e "$d/old" ]; then
    _err=$({
      put "$d/old-profile" "$(resolve "$profile")" &&
        put "$d/old-boot" "$(boot_default)" &&
        put "$d/old" "$current"
    } 2>&1) || { detail="cannot write to $d: $_err"; if full "$_err"; then finish no-space; else finish broken; fi; }
  fi
  for _p in "$to" "$(kept old)" "$(kept old-profile)"; do
    [ -n "$_p" ] || continue
    _b=\${_p#/nix/store/}
    ln -sfn "$_p" "/nix/var/nix/gcroots/rotate-$pin-\${_b%%-*}" || { detail="cannot pin $_p"; finish no-space; }
  done

  # It runs already, and this is not what a killed attempt left half-way: at most the next boot is to be set.
  if [ "$current" = "$to" ] && [ "$_begun" != "$_boot_id" ]; then
    if [ "$(resolve "$profile")" = "$to" ] && [ "$(boot_default)" = "$to" ]; then finish already; fi
    if nixos_busy; then detail='another switch is under way'; finish busy; fi
    _err=$(set_profile "$to" 2>&1) || {
      say "$_err"
      rc=1 detail='cannot set the profile'
      if full "$_err"; then finish no-space; else finish failed; fi
    }
    rc=0
    activate "$to" boot || rc=$?
    if [ "$rc" = 0 ]; then finish already; fi
    detail='cannot set the boot default'
    finish failed
  fi

  if nixos_busy; then detail='another switch is under way'; finish busy; fi
  if [ "$_begun" != "$_boot_id" ] || [ ! -e "$d/failed.before" ]; then
    _failed=$(failed_units) || _failed=
    put "$d/failed.before" "$_failed" || finish no-space
  fi

  forget ended settled
  armed=1
  if [ "$dead_man_ms" -gt 0 ] && ! unit_runs "rotate-$id-undo.service"; then
    systemctl reset-failed "rotate-$id-undo.service" 2>/dev/null || :
    systemd-run --quiet --collect --service-type=exec --unit="rotate-$id-undo" \\
      --property=OOMScoreAdjust=-900 /bin/sh "$d/job" undo 8>&- || {
      detail='cannot arm the dead man'
      rc=1
      finish failed
    }
  fi
  keep switching "$_boot_id" || finish no-space
  _err=$(set_profile "$to" 2>&1) || {
    say "$_err"
    rc=1 detail='cannot set the profile'
    forget switching
    if full "$_err"; then finish no-space; else finish failed; fi
  }
  say "switching to $to"
  rc=0
  activate "$to" switch || rc=$?
  keep ended "$(monotonic_us)"
  say "switch-to-configuration said $rc"
  judge
}

judge() {
  _log=$(log)
  if [ "$rc" = 1 ] && { nixos_busy || printf '%s\\n' "$_log" | grep -q '^Could not acquire lock'; }; then
    # Refused before anything: only the profile is to be put back.
    _p=$(kept old-profile)
    [ -z "$_p" ] || set_profile "$_p" || say "cannot set the profile to $_p"
    forget switching
    detail='another switch is under way'
    finish busy
  fi
  units=$({
    printf '%s\\n' "$_log" | list 'restarting the following units'
    printf '%s\\n' "$_log" | list 'starting the following units'
    printf '%s\\n' "$_log" | list 'the following new units were started'
  } | sort -u | tr '\\n' ' ')
  # What had failed before says nothing about this switch.
  newly=$({
    failed_units failed
    printf '%s\\n' "$_log" | list 'warning: the following units failed'
    printf '%s\\n' "$_log" | sed -n 's/^Failed to [a-z]* \\([^ :]*\\.[a-z]*\\)\\(:.*\\)\\{0,1\\}$/\\1/p'
  } | sort -u | while read -r _u; do
    case " $tolerated " in *" $_u "*) continue ;; esac
    grep -qxF -e "$_u" "$d/failed.before" || echo "$_u"
  done | tr '\\n' ' ')
  case $rc in
    0) finish switched ;;
    4) if [ -z "$newly" ]; then finish switched; fi ;;
  esac
  if printf '%s\\n' "$_log" | grep -q 'No space left on device'; then detail='No space left on device'; fi
  if [ "$on_failure" = undo ] && [ "$(kept old)" != "$to" ]; then put_back; fi
  forget switching
  finish failed
}

# The dead man. Loses patience dead_man_ms after the end of the switch, or when the switch itself hangs.
do_undo() {
  _gone=0
  _begin=$(monotonic_us)
  while :; do
    if kept settled >/dev/null; then exit 0; fi
    _now=$(monotonic_us)
    if _ended=$(kept ended); then
      if [ $(((_now - _ended) / 1000)) -ge "$dead_man_ms" ]; then break; fi
    elif ! unit_runs "rotate-$id.service"; then
      # Killed in the middle: nobody will say that it has ended.
      _gone=$((_gone + 1))
      if [ "$_gone" -ge 3 ]; then keep ended "$_now"; fi
    elif [ $(((_now - _begin) / 1000)) -ge "$limit_ms" ]; then
      say "the switch of $id hangs, ending it"
      systemctl kill --signal=SIGKILL "rotate-$id.service" || :
      break
    fi
    sleep 0.5
  done
  exec 8>>/run/rotate.lock
  flock 8
  if kept settled >/dev/null; then exit 0; fi
  if [ "$(cat /run/rotate/owner 2>/dev/null)" != "$id" ]; then say "another job has taken over"; exit 0; fi
  if [ "$(resolve /run/current-system)" = "$(kept old)" ] && [ "$(resolve "$profile")" = "$(kept old-profile)" ] &&
    [ -z "$(kept switching)" ]; then
    keep settled nothing
    exit 0
  fi
  case $(resolve /run/current-system) in
    "$to" | "$(kept old)") ;;
    *) say "the host has moved on"; keep settled moved; exit 0 ;;
  esac
  say "not confirmed within $dead_man_ms ms"
  put_back
  keep undone "undone=$undone
undoRc=$undo_rc
ended=$(monotonic_us)"
  keep settled undone
  forget switching
}

case \${1:-} in
  switch) do_switch ;;
  undo) do_undo ;;
  *) echo "usage: job switch|undo" >&2; exit 2 ;;
esac
`;
