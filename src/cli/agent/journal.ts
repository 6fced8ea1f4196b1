import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Runtime } from '../../runtime.js';
import { asName, cutMessage, guessLevel, type LogLevel } from '../telemetry.js';
import type { Observed, Remark, Source } from './source.js';

/** Above this many unread lines journalctl is made to wait. */
const MOST_QUEUED = 2_000;

/** How long after journalctl has ended it is started again. */
const RESTART_MS = 5_000;

/** What a cursor of "from here on" looks like until the first line brings a real one. */
const TAIL = 'tail';

/** syslog's severities, 0 to 7. */
const LEVELS: readonly LogLevel[] = [
  'error',
  'error',
  'error',
  'error',
  'warn',
  'info',
  'info',
  'debug',
];

type Journalctl = ChildProcessByStdio<null, Readable, Readable>;

export interface JournalDeps {
  readonly runtime: Runtime;
  readonly remark: Remark;
  /** Which program is asked, should it not be the one on the path. */
  readonly program?: string;
}

/**
 * Follows the systemd journal, of one unit or of all, through `journalctl`. Without that program it
 * says so once and stays silent.
 */
export function followJournal(
  { runtime, remark, program = 'journalctl' }: JournalDeps,
  unit: string,
): Source {
  const queue: Observed[] = [];
  let child: Journalctl | null = null;
  let startAgainAt = 0;
  let closed = false;

  function start(after: string | undefined): void {
    const journalctl = spawn(program, journalctlArguments(unit, after), {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = journalctl;
    const lines = createInterface({ input: journalctl.stdout });
    lines.on('line', (line) => {
      const entry = observedIn(line);
      if (entry !== undefined) queue.push(entry);
      if (queue.length >= MOST_QUEUED) journalctl.stdout.pause();
    });
    createInterface({ input: journalctl.stderr }).on('line', (line) => remark(`journal: ${line}`));
    const ended = (why: string, delayMs: number) => {
      if (child !== journalctl || closed) return;
      child = null;
      startAgainAt = runtime.monotonic() + delayMs;
      remark(why);
    };
    journalctl.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT')
        ended('--journal: there is no journalctl on this machine', Infinity);
      else ended(`journal: ${error.message}`, RESTART_MS);
    });
    journalctl.on('exit', (code) =>
      ended(`journal: journalctl ended (${code ?? 'killed'})`, RESTART_MS),
    );
  }

  function goOn(after: string | undefined): void {
    if (child === null && runtime.monotonic() >= startAgainAt) {
      start(queue.at(-1)?.cursor ?? after);
    }
    child?.stdout.resume();
  }

  return {
    name: unit === '' ? 'journal' : `journal:${unit}`,
    read: (after) => {
      // What the spool has taken goes; what it could not take is given again.
      const taken = queue.findIndex(({ cursor }) => cursor === after);
      queue.splice(0, taken + 1);
      if (queue.length < MOST_QUEUED) goOn(after);
      return [...queue];
    },
    // What journalctl had to say was given whole.
    isBehind: false,
    now: () => TAIL,
    close: () => {
      closed = true;
      child?.kill();
    },
  };
}

/** The command line of journalctl: all after a cursor, or from now on, or (without one) everything. */
export function journalctlArguments(unit: string, after: string | undefined): string[] {
  const from =
    after === undefined
      ? ['--no-tail']
      : after === TAIL
        ? ['--lines=0']
        : [`--after-cursor=${after}`];
  const only = unit === '' ? [] : [`--unit=${unit}`];
  return ['--follow', '--output=json', '--quiet', ...from, ...only];
}

/** Reads one line of `journalctl -o json`; undefined for what is no message, or is our own. */
export function observedIn(line: string): Observed | undefined {
  const fields = fieldsOf(line);
  const text = (name: string): string | undefined => {
    const value = fields.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const cursor = text('__CURSOR');
  const message = messageIn(fields.get('MESSAGE'));
  // What the agent itself says would otherwise be told, and told of, without end.
  const own = text('_PID') === String(process.pid);
  if (cursor === undefined || message === undefined || own) return undefined;
  const micros = Number(text('__REALTIME_TIMESTAMP'));
  const program = text('_SYSTEMD_UNIT') ?? text('SYSLOG_IDENTIFIER') ?? text('_COMM') ?? '';
  return {
    event: asName(program, 'log-line'),
    level: LEVELS[Number(text('PRIORITY') ?? Number.NaN)] ?? guessLevel(message),
    message: cutMessage(message),
    cursor,
    ...(micros > 0 && { at: Math.floor(micros / 1_000) }),
  };
}

function fieldsOf(line: string): ReadonlyMap<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(line);
    return new Map(typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []);
  } catch {
    return new Map();
  }
}

/** Text, or where it is not UTF-8 an array of its bytes; null when journalctl finds it too long. */
function messageIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  return Buffer.from(value.filter((byte) => typeof byte === 'number')).toString('utf8');
}
