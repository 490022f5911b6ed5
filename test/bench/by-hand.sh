#!/usr/bin/env bash
# The rotation of one PostgreSQL credential with two roles as a shell script: what `rotate start` runs, in the same
# order, with the tools that a person has (git, age, nix, nixos-rebuild, ssh, psql), one host after another over kept
# connections. Benchmarks compare with it. It waits for nothing but what it has started, and for units to stay active.
#
# What it leaves out is listed in docs/benchmarks.md: above all it undoes nothing and forgets everything when it ends.
#
# environment: CLONE, SSH_CONFIG (with ControlMaster), SCRATCH, IDENTITY (opens the file), HOSTS, DATABASE_HOST,
#   SECRET, FILE, RULES, VARIABLE, OWNER, ROLE_A, ROLE_B, STABLE (seconds); ID; JOB, START, STATUS and CONFIRM (what
#   `rotate` runs on a host to switch it, with FROM and TO in the place of the systems)
set -euo pipefail
# shellcheck disable=SC2153  # from the environment
read -r -a hosts <<< "$HOSTS"
unit=$SECRET.service
database=app
id=$ID
fence=$(date +%s)
branch=by-hand/$id
nix_flags=(--extra-experimental-features 'nix-command flakes')
psql=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)/psql
export NIX_SSHOPTS="-F $SSH_CONFIG"
cd "$SCRATCH"

say() { echo "$(date +%T.%3N) $*" >&2; }
fail() { echo "by-hand: error: $*" >&2; exit 1; }
# Over the host's kept connection.
on() { local host=$1; shift; ssh -F "$SSH_CONFIG" "$host" "$@"; }

# --- git: each push after a fetch, together with a claim that only goes forward ---
claim=refs/by-hand/claims/$SECRET
git() { command git -C "$CLONE" "$@"; }
fetch() { git fetch --quiet --prune origin '+refs/heads/*:refs/remotes/origin/*' '+refs/by-hand/*:refs/by-hand/*'; }
# push REFSPEC…
push() {
  local before next
  fetch
  before=$(git rev-parse --quiet --verify "$claim") || before=
  next=$(git commit-tree ${before:+-p "$before"} -m "$id" "$(git mktree < /dev/null)")
  git push --quiet --atomic origin "$@" "$next:$claim"
}
# commit_file PARENT FILE MESSAGE < BYTES: prints the commit; touches neither the index nor the working tree.
commit_file() {
  local blob
  export GIT_INDEX_FILE=$SCRATCH/index
  blob=$(git hash-object -w --stdin)
  git read-tree ${1:+"$1"}
  git update-index --add --cacheinfo "100644,$blob,$2"
  git commit-tree ${1:+-p "$1"} -m "$3" "$(git write-tree)"
  unset GIT_INDEX_FILE
}

# --- age: recipients as the rules name them ---
# encrypt < CONTENT
encrypt() {
  local keys
  mapfile -t keys < <(nix-instantiate --json --eval --strict --option restrict-eval true -I "repo=$CLONE" \
    --argstr rules "$CLONE/$RULES" --argstr name "$SECRET.age" \
    -E '{ rules, name }: (import rules).${name}.publicKeys' | jq -r '.[]')
  age --encrypt "${keys[@]/#/--recipient=}"
}
open() { age --decrypt --identity "$IDENTITY"; }

# --- PostgreSQL ---
admin() {
  on "$DATABASE_HOST" 'runuser -u postgres -- /usr/lib/postgresql/17/bin/psql -X -q -A -t -v ON_ERROR_STOP=1 -d postgres -f -'
}
survey() {
  admin <<Q
SELECT rolname, rolcanlogin, rolvaliduntil, pg_has_role(oid, '$OWNER', 'MEMBER'), has_database_privilege(oid, '$database', 'CONNECT'),
  (SELECT count(*) FROM pg_stat_activity s WHERE s.usesysid = r.oid) FROM pg_roles r WHERE rolname IN ('$ROLE_A', '$ROLE_B');
SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '$OWNER';
Q
}
comment() { admin <<< "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '$OWNER';"; }
# alter STATEMENT…: fenced, in one transaction that is not logged.
alter() {
  local before after stored
  before=$(comment)
  stored=$(sed -n 's/.*\[by-hand \([0-9]*\)\].*/\1/p' <<< "$before")
  [ "${stored:-0}" -le "$fence" ] || fail "the database has seen a later rotation"
  after=$(sed 's/ *\[by-hand [0-9]*\]//' <<< "$before")
  after="$after [by-hand $fence]"
  admin <<Q
BEGIN;
SET LOCAL log_statement = 'none';
SET LOCAL log_min_duration_statement = -1;
SET LOCAL log_min_error_statement = 'panic';
SET LOCAL track_activities = off;
SET LOCAL lock_timeout = '10s';
SET LOCAL statement_timeout = '20s';
SELECT FROM pg_advisory_xact_lock(hashtextextended('by-hand:$OWNER', 0));
DO \$\$ BEGIN
  IF (SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '$OWNER') IS DISTINCT FROM NULLIF('$before', '')
  THEN RAISE 'the comment has changed'; END IF;
END \$\$;
$1;
COMMENT ON ROLE $OWNER IS '$after';
COMMIT;
Q
}
# But our own logins, which may take a moment to end.
sessions() {
  admin <<< "SELECT count(*) FROM pg_stat_activity
    WHERE usename = '$1' AND backend_type = 'client backend' AND application_name <> 'by-hand';"
}
end_sessions() {
  admin <<< "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '$1';" > /dev/null
  until [ "$(sessions "$1")" = 0 ]; do :; done
}
# login HOST ROLE PASSWORD EXPECTED: from the host, through a channel of its connection.
login() {
  local said
  said=$(PGPASSWORD=$3 "$psql" -X -A -t -w -c 'SELECT session_user' \
    "host=$SCRATCH/$1 user=$2 dbname=$database application_name=by-hand connect_timeout=10" 2>&1) || true
  case $4,$said in
    accepted,"$2") ;;
    refused,*'password authentication failed'*) ;;
    disabled,*'is not permitted to log in'*) ;;
    *) fail "$2 from $1: expected to be $4: $said" ;;
  esac
}

# --- hosts ---
facts() {
  on "$1" "cat /proc/sys/kernel/random/boot_id
    readlink -f /run/current-system; readlink -f /nix/var/nix/profiles/system; cat /boot/loader/default
    systemctl list-units --all --state=failed,auto-restart --plain --no-legend --full --no-pager > /dev/null
    for d in /nix/store /var/lib /run; do df --output=avail,iavail --block-size=1 \$d | tail -n 1; done
    cat /var/lib/rotate/fence/by-hand%2F$SECRET 2>/dev/null || echo 0
    systemctl list-units --all --state=active,activating --plain --no-legend --full 'rotate-*.service'"
}
configuration() {
  nix "${nix_flags[@]}" eval --json --no-update-lock-file "git+file://$CLONE?rev=$base#nixosConfigurations.\"$1\".config" \
    --apply 'c: { inherit (c.age) ageBin identityPaths; secrets = builtins.attrValues (builtins.mapAttrs (n: s: {
      inherit n; inherit (s) path owner group mode; file = toString s.file; sum = builtins.hashFile "sha256" s.file; }) c.age.secrets); }'
}
# build HOST COMMIT: prints the store path.
build() { nixos-rebuild build --flake "git+file://$CLONE?rev=$2#$1" --no-update-lock-file 2> "$SCRATCH/build.log"; }
copy() { nix "${nix_flags[@]}" copy --no-check-sigs --to "ssh://$1" "$2"; }
# try_open HOST < CIPHERTEXT: with the age and the identity that its configuration names.
try_open() { on "$1" "${age_bin[$1]} --decrypt -i ${identity[$1]} > /dev/null"; }
inspect() {
  on "$1" "f=\$(readlink -e ${path[$1]}) && sha256sum < \"\$f\" && stat -c '%U %G %a %.6Z' \"\$f\" && stat -f -c %T \"\$f\" && echo \"\$f\""
}
unit_state() {
  on "$1" "systemctl show --property=LoadState,ActiveState,SubState,Type,MainPID,InvocationID,NRestarts,Result,InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic $unit"
}
# verify HOST PASSWORD-OF-NEW-ROLE
verify() {
  local seen
  seen=$(inspect "$1")
  [ "${seen%% *}" = "$sum" ] || fail "$1: the file is not the new one"
  grep -q "^${owner[$1]} " <<< "$seen" || fail "$1: the file has another owner"
  grep -q '^ActiveState=active' <<< "$(unit_state "$1")" || fail "$1: $unit is not active"
  login "$1" "$new_role" "$2" accepted
}

# switch HOST FROM TO
switch() {
  local job=${JOB//"$FROM"/"$2"} said
  on "$1" "$START" <<< "${job//"$TO"/"$3"}"
  said=$(on "$1" "$STATUS")
  while grep -q '^state=running$' <<< "$said"; do said=$(on "$1" "$STATUS"); done
  grep -q '^outcome=switched$' <<< "$said" || fail "$1: the switch: $said"
  # Over a new connection, because a kept one may live on where no new one is let in.
  said=$(ssh -F "$SSH_CONFIG" -o ControlMaster=no -o ControlPath=none "$1" "${CONFIRM//"$TO"/"$3"}")
  [ "$said" = answer=confirmed ] || fail "$1 does not run what it was switched to: $said"
}
# Restarts the unit unless it has started since the file was installed, and sees that it stays active.
restart() {
  local before after
  inspect "$1" > /dev/null
  unit_state "$1" > /dev/null
  on "$1" "systemctl reset-failed $unit 2>/dev/null; systemctl restart $unit"
  before=$(unit_state "$1")
  sleep "$STABLE"
  after=$(unit_state "$1")
  grep -q '^ActiveState=active' <<< "$after" || fail "$1: $unit does not stay active"
  [ "$(grep -E '^(InvocationID|NRestarts)=' <<< "$before")" = "$(grep -E '^(InvocationID|NRestarts)=' <<< "$after")" ] \
    || fail "$1: $unit has restarted by itself"
}

# === preflight: changes nothing ===
say preflight
fetch
base=$(git rev-parse origin/main)
git -c advice.detachedHead=false checkout --quiet "$base"
content=$(open < "$CLONE/$FILE")
url=$(sed -n "s/^$VARIABLE=postgresql:\/\///p" <<< "$content")
old_role=${url%%:*} old_password=${url#*:} old_password=${old_password%%@*}
if [ "$old_role" = "$ROLE_A" ]; then new_role=$ROLE_B; else new_role=$ROLE_A; fi
grep -q "^$new_role|f|" <<< "$(survey)" || fail "$new_role is in use"
declare -A running age_bin identity path owner trial fresh
for h in "${hosts[@]}"; do
  mapfile -t seen < <(facts "$h")
  running[$h]=${seen[1]}
  [ "${seen[1]} ${seen[1]}" = "${seen[2]} ${seen[3]}" ] || fail "$h would boot something else than it runs"
  found=$(configuration "$h")
  age_bin[$h]=$(jq -r .ageBin <<< "$found")
  identity[$h]=$(jq -r '.identityPaths[0]' <<< "$found")
  path[$h]=$(jq -r --arg name "$SECRET" '.secrets[] | select(.n == $name) | .path' <<< "$found")
  owner[$h]=$(jq -r --arg name "$SECRET" '.secrets[] | select(.n == $name) | .owner' <<< "$found")
  try_open "$h" < "$CLONE/$FILE"
  mkdir -p "$SCRATCH/$h"
  rm -f "$SCRATCH/$h/.s.PGSQL.5432"
  ssh -F "$SSH_CONFIG" -O forward -L "$SCRATCH/$h/.s.PGSQL.5432:$DATABASE_HOST:5432" "$h"
  login "$h" "$old_role" "$old_password" accepted
  login "$h" "$old_role" "$(head -c 18 /dev/urandom | base64 -w 0)" refused
done
say compare
for h in "${hosts[@]}"; do
  [ "$(build "$h" "$base")" = "${running[$h]}" ] || fail "$h does not run $base"
done
say rehearse
encrypt <<< "$content" > "$SCRATCH/trial.age"
open < "$SCRATCH/trial.age" > /dev/null
rehearsal=$(commit_file "$base" "$FILE" 'rehearsal, never pushed' < "$SCRATCH/trial.age")
for h in "${hosts[@]}"; do
  try_open "$h" < "$SCRATCH/trial.age"
  trial[$h]=$(build "$h" "$rehearsal")
  copy "$h" "${trial[$h]}"
  touched=$(on "$h" "${trial[$h]}/bin/switch-to-configuration dry-activate" 2>&1)
  ! grep -E '^would (stop|start|restart|reload) the following units' <<< "$touched" | grep -v "$unit" | grep -q . \
    || fail "$h: the switch would touch more than $unit"
done
push

# === generate, encrypt ===
say generate
new_password=$(head -c 24 /dev/urandom | base64 -w 0 | tr '+/' xx)
alter "ALTER ROLE $new_role PASSWORD '$new_password' LOGIN"
say encrypt
content=$(sed "s/^$VARIABLE=.*/$VARIABLE=postgresql:\/\/$new_role:$new_password@$DATABASE_HOST:5432\/$database/" <<< "$content")
sum=$(sha256sum <<< "$content"); sum=${sum%% *}
encrypt <<< "$content" > "$SCRATCH/new.age"
commit=$(commit_file "$base" "$FILE" "by hand: $SECRET" < "$SCRATCH/new.age")
push "$commit:refs/heads/$branch"

# === deploy, restart, verify ===
say build
for h in "${hosts[@]}"; do fresh[$h]=$(build "$h" "$commit"); done
say copy
for h in "${hosts[@]}"; do copy "$h" "${fresh[$h]}"; done
for h in "${hosts[@]}"; do
  say "switch $h"
  switch "$h" "${running[$h]}" "${fresh[$h]}"
  restart "$h"
  verify "$h" "$new_password"
done
say merge
push "$commit:refs/heads/main"
for h in "${hosts[@]}"; do verify "$h" "$new_password"; done

# === revoke ===
prove() {
  for h in "${hosts[@]}"; do
    login "$h" "$new_role" "$new_password" accepted
    login "$h" "$old_role" "$old_password" "$1"
  done
}
say revoke
[ "$(sessions "$old_role")" = 0 ] || fail "$old_role is still used"
prove accepted
alter "ALTER ROLE $old_role NOLOGIN"
end_sessions "$old_role"
prove disabled
[ "$(sessions "$old_role")" = 0 ] || fail "sessions of $old_role live"
for h in "${hosts[@]}"; do verify "$h" "$new_password"; done
alter "ALTER ROLE $old_role PASSWORD NULL"
prove refused
[ "$(sessions "$old_role")" = 0 ] || fail "sessions of $old_role live"
prove refused
[ "$(sessions "$old_role")" = 0 ] || fail "sessions of $old_role live"

# === what is left ===
say tidy
for h in "${hosts[@]}"; do
  on "$h" "rm -f /nix/var/nix/gcroots/rotate-$id-*"
  ssh -F "$SSH_CONFIG" -O cancel -L "$SCRATCH/$h/.s.PGSQL.5432:$DATABASE_HOST:5432" "$h"
done
push ":refs/heads/$branch"
fetch
log=$(git rev-parse --quiet --verify origin/by-hand-log) || log=
record=$(jq -n --arg id "$id" --arg secret "$SECRET" --arg commit "$commit" '{$id, $secret, $commit, state: "done"}' \
  | commit_file "$log" "prod/$id.json" "done: $SECRET")
git push --quiet origin "$record:refs/heads/by-hand-log"
say "done"
