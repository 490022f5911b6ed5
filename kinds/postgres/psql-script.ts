/**
 * The script that finds the running server and its psql on a host, and becomes psql.
 *
 * On NixOS psql is on nobody's PATH, but it lies beside the binary of the server
 * that runs. Uses only a POSIX shell, coreutils and /proc.
 */

/** Exit code of the script when it does not get as far as psql, whose own are 0 to 3. */
export const notFoundExit = 69;

/**
 * Run as the system user that logs in by peer authentication.
 * - `$1` database
 * - `$2` port that the server must have, or empty
 * - `$3` ports that decide where several servers run, separated by spaces
 *
 * A server is a process named postgres whose working directory has a postmaster.pid that names the process
 * (lines: pid, data directory, start, port, socket directory). Servers of containers on the same host are left
 * out: NSpid lists more than one id for them. Where another system user may not look into that directory, the
 * command line says where the binary is and /proc/net/unix which sockets listen.
 *
 * Statements come by standard input; the environment is emptied, so that no PGOPTIONS, PGSERVICE or .psqlrc
 * has a say.
 */
export const psqlScript = `
database=$1 must=$2 prefer=$3
servers='' hidden='' ports=''
fail() { printf 'rotate:%s\\n' "$*" >&2; exit ${notFoundExit}; }
nested() {
  while read -r field first rest; do
    case $field in NSpid:) [ -n "$rest" ] && return 0; return 1 ;; esac
  done < "$1/status"
  return 1
}
program() {
  exe=$(readlink "$1/exe") || exe=''
  [ -n "$exe" ] || exe=$(tr '\\0' '\\n' < "$1/cmdline" | head -n 1)
  case $exe in /*) printf '%s' "\${exe%/*}" ;; esac
}
choose() {
  if [ -z "$chosen" ] && [ "$1" = "$port" ]; then chosen=$port dir=$bin socket=$sock; fi
}
each() {
  while IFS='|' read -r port bin sock; do
    [ -n "$port" ] && "$@"
  done <<EOF
$servers
EOF
}
for proc in /proc/[0-9]*; do
  { read -r comm < "$proc/comm"; } 2>/dev/null || continue
  case $comm in postgres|postmaster|.postgres-wrap*) ;; *) continue ;; esac
  if nested "$proc" 2>/dev/null; then continue; fi
  if { read -r owner && read -r data && read -r started && read -r port && read -r sock; } < "$proc/cwd/postmaster.pid" 2>/dev/null
  then
    [ "$owner" = "\${proc#/proc/}" ] || continue
    servers="$servers$port|$(program "$proc" 2>/dev/null)|$sock
"
    ports="$ports $port"
  else
    bin=$(program "$proc" 2>/dev/null)
    [ -z "$bin" ] || hidden=$bin
  fi
done 2>/dev/null
if [ -z "$servers" ] && [ -n "$hidden" ]; then
  while read -r num refs protocol flags type state inode path; do
    case "$flags $path" in
      '00010000 '/*/.s.PGSQL.*)
        servers="$servers\${path##*.}|$hidden|\${path%/*}
"
        ports="$ports \${path##*.}" ;;
    esac
  done < /proc/net/unix
fi
[ -n "$servers" ] || fail none
chosen='' dir='' socket=''
if [ -n "$must" ]; then
  each choose "$must"
  [ -n "$chosen" ] || fail port "$must" of "$ports"
else
  case $ports in
    ' '*' '*) for want in $prefer; do each choose "$want"; done
      [ -n "$chosen" ] || fail several "$ports" ;;
    *) each choose "\${ports# }" ;;
  esac
fi
[ -n "$socket" ] || fail socket "$chosen"
psql=$dir/psql
[ -x "$psql" ] || psql=$(command -v psql) || fail psql "$dir"
exec env -i PATH="$PATH" HOME=/nonexistent LC_ALL=C PGCLIENTENCODING=UTF8 PGAPPNAME=rotate \\
  PGCONNECT_TIMEOUT=10 PGPASSFILE=/dev/null PGSERVICEFILE=/dev/null \\
  "$psql" --no-psqlrc -q -A -t -w -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -v SHOW_CONTEXT=never \\
  -h "$socket" -p "$chosen" -d "$database" -f -
`;
