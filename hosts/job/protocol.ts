/** The worker's side of a job's files: scripts that start it, look at it and confirm it, and what they print. */
import { z } from 'zod';
import { RotateError } from '../../domain/failure.js';
import { keyValues, words } from '../remote-paths.js';
import { jobLibrary } from './job-script.js';

/** Ends that say nothing about the system: the same id may simply be tried again. */
const passing = ['busy', 'moved', 'superseded', 'absent', 'no-space', 'broken'] as const;
const lasting = ['switched', 'already', 'failed'] as const;

const outcome = z.enum([...passing, ...lasting]);

/** What a job's result file says. */
export interface JobResult {
  outcome: z.infer<typeof outcome>;
  to: string;
  /** Exit code of switch-to-configuration, or of what failed before it. */
  rc: number | undefined;
  newlyFailed: string[];
  restartedUnits: string[];
  undone: boolean;
  undoRc: number | undefined;
  /** What ran when the job ended. */
  current: string;
  /** The higher fence that refused it. */
  stored: string;
  detail: string;
  endedMonotonicUs: number;
}

export interface JobStatus {
  /** `lost`: begun, and neither running nor ended (killed, or the host rebooted). `none`: never begun. */
  state: 'running' | 'finished' | 'lost' | 'none';
  bootId: string;
  result: JobResult | undefined;
  /** The dead man has put the old system back. */
  undone: { complete: boolean; rc: number | undefined; endedMonotonicUs: number } | undefined;
}

/** `$1` id; standard input: the job's script. Prints a status. Starts nothing that runs or has ended for good. */
export const startScript = `id=$1
${jobLibrary}
fail() { echo "cannot write to $state: $1" >&2; exit 73; }
_err=$(mkdir -p "$d" /run/rotate 2>&1) || fail "$_err"
if ! { [ -e "$d/undone" ] || [ -e "$run/undone" ] || unit_runs "rotate-$id.service"; }; then
  _last=$(kept result | sed -n 's/^outcome=//p') || _last=
  case $_last in
    ${lasting.join(' | ')}) ;;
    *)
      _err=$({ cat > "$d/job.$$" && sync "$d/job.$$" && mv -f "$d/job.$$" "$d/job"; } 2>&1) ||
        { rm -f "$d/job.$$"; fail "$_err"; }
      forget result
      systemctl reset-failed "rotate-$id.service" 2>/dev/null || :
      # Refused when another caller was quicker: then it runs, which is as good.
      _err=$(systemd-run --quiet --collect --no-block --service-type=exec --unit="rotate-$id" \\
        --description="rotate: switch to another system" /bin/sh "$d/job" switch 2>&1) ||
        unit_runs "rotate-$id.service" || kept result >/dev/null || { echo "$_err" >&2; exit 74; }
      ;;
  esac
fi
`;

/** `$1` id, `$2` twentieths of a second to wait for the end. Prints a status. systemd is asked once a second only. */
export const statusScript = `id=$1
${jobLibrary}
_i=0 _lost=0 _state=
while :; do
  if kept result >/dev/null; then _state=finished; break; fi
  if [ "$((_i % 20))" != 0 ] && [ "$_i" -lt "$2" ] && [ "$_state" = running ]; then
    :
  elif unit_runs "rotate-$id.service"; then
    _state=running _lost=0
    if [ "$_i" -ge "$2" ]; then break; fi
  elif [ ! -e "$d/job" ]; then
    _state=none
    break
  else
    # Between the end of the unit and this look the result may have been written.
    _state=lost _lost=$((_lost + 1))
    if [ "$_lost" -ge 8 ]; then break; fi
  fi
  sleep 0.05
  _i=$((_i + 1))
done
echo "state=$_state"
echo "boot=$(cat /proc/sys/kernel/random/boot_id)"
if [ "$_state" = finished ]; then kept result; fi
if kept undone >/dev/null; then kept undone | sed 's/^/dead-man-/'; fi
`;

/** `$1` id, `$2` toplevel. Disarms the dead man when the system runs; prints what it found. */
export const confirmScript = `id=$1
${jobLibrary}
mkdir -p "$run"
exec 8>>/run/rotate.lock
flock -w 5 8 || { echo answer=busy; exit 0; }
if kept undone >/dev/null; then echo answer=undone; exit 0; fi
_current=$(resolve /run/current-system)
if [ "$_current" != "$2" ]; then echo "answer=moved"; echo "current=$_current"; exit 0; fi
# While we hold the lock it waits, so that it cannot be stopped half-way through an undo.
systemctl stop "rotate-$id-undo.service" 2>/dev/null || :
keep settled confirmed || exit 73
forget switching
if [ "$(resolve "$profile")" = "$2" ]; then echo answer=confirmed; else echo answer=profile; fi
`;

const number = z.string().regex(/^\d+$/).transform(Number);
const optionalNumber = z
  .string()
  .regex(/^\d*$/)
  .transform((text) => (text === '' ? undefined : Number(text)));

const statusShape = z.object({
  state: z.enum(['running', 'finished', 'lost', 'none']),
  boot: z.string(),
});
const resultShape = z.object({
  outcome,
  to: z.string(),
  rc: optionalNumber,
  newlyFailed: z.string(),
  units: z.string(),
  undone: z.enum(['0', '1']),
  undoRc: optionalNumber,
  current: z.string(),
  stored: z.string(),
  detail: z.string(),
  ended: number,
});
const undoneShape = z.object({
  'dead-man-undone': z.enum(['0', '1']),
  'dead-man-undoRc': optionalNumber,
  'dead-man-ended': number,
});

/** Reads what {@link statusScript} prints. @throws RotateError Internal */
export function parseStatus(host: string, text: string): JobStatus {
  const values = Object.fromEntries(keyValues(text));
  try {
    const { state, boot } = statusShape.parse(values);
    const undone = 'dead-man-undone' in values ? undoneShape.parse(values) : undefined;
    return {
      state,
      bootId: boot,
      result: state === 'finished' ? toResult(resultShape.parse(values)) : undefined,
      undone:
        undone === undefined
          ? undefined
          : {
              complete: undone['dead-man-undone'] === '1',
              rc: undone['dead-man-undoRc'],
              endedMonotonicUs: undone['dead-man-ended'],
            },
    };
  } catch (error) {
    throw new RotateError('Internal', `the state of a job on ${host} cannot be read`, { host, cause: error });
  }
}

function toResult(raw: z.infer<typeof resultShape>): JobResult {
  return {
    outcome: raw.outcome,
    to: raw.to,
    rc: raw.rc,
    newlyFailed: words(raw.newlyFailed),
    restartedUnits: words(raw.units),
    undone: raw.undone === '1',
    undoRc: raw.undoRc,
    current: raw.current,
    stored: raw.stored,
    detail: raw.detail,
    endedMonotonicUs: raw.ended,
  };
}

/** What {@link confirmScript} found. */
export const confirmation = z.object({
  answer: z.enum(['confirmed', 'undone', 'moved', 'busy', 'profile']),
  current: z.string().optional(),
});
