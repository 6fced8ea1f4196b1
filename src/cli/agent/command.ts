import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { account, accountOptions, chosenUrl, DEFAULT_URL, patientConnection } from '../account.js';
import { connect } from '../client.js';
import type { Options, OptionValues } from '../args.js';
import { defineCommand, type Context, type ExitCode } from '../command.js';
import { UsageError } from '../errors.js';
import { authorized, logIn } from '../session.js';
import { parseDuration, parseSize } from '../units.js';
import { packageVersion } from '../version.js';
import { agentOf, type Agent } from './agent.js';
import { enrol, isEnrolled, keptEnrolment, type Identity } from './enrol.js';
import { followFile } from './followFile.js';
import { followJournal } from './journal.js';
import { lockFolder } from './lock.js';
import { rejectedIn } from './rejected.js';
import type { Source } from './source.js';
import { openSpool, type Spool } from './spool.js';
import { vitalsOf } from './vitals.js';

const LEAST_SPOOL = 65_536;

/** How long the last flush may take. */
const LAST_FLUSH_MS = 5_000;

/** Between the two readings that a processor's load is the difference of. */
const CPU_SAMPLE_MS = 250;

const OPTIONS = {
  ...accountOptions,
  name: { type: 'string', value: 'NAME', help: 'the device’s name (default: the host name)' },
  interval: { type: 'string', value: 'TIME', default: '10s', help: 'between heartbeats' },
  'log-file': {
    type: 'string',
    value: 'PATH',
    multiple: true,
    help: 'a log file to follow; may be given again',
  },
  journal: {
    type: 'string',
    value: 'UNIT',
    valueOptional: true,
    help: 'follow the systemd journal, of one unit or of all',
  },
  'from-start': { type: 'boolean', help: 'tell what the logs already hold, too' },
  state: {
    type: 'string',
    value: 'FOLDER',
    help: 'token and spool (default ~/.fleetbook/agent); one agent each',
  },
  'spool-max': {
    type: 'string',
    value: 'SIZE',
    default: '64MiB',
    help: 'above it the oldest is dropped',
  },
  once: { type: 'boolean', help: 'report once and end: 0 when all was sent' },
} as const satisfies Options;

type Values = OptionValues<typeof OPTIONS>;

export const agent = defineCommand({
  name: 'agent',
  description: `Registers this machine as a device at its first start (that needs a login; later starts use the
device token that it keeps), then reports its load, memory, disk and uptime as heartbeats and
the lines of log files or of the systemd journal as logs. What can't be sent is kept on disk,
and sent later, in order and each once.`,
  options: OPTIONS,
  run: async (context, values) => {
    const intervalMs = parseDuration('interval', values.interval, 1_000);
    const maxBytes = parseSize('spool-max', values['spool-max'], LEAST_SPOOL);
    const folder = values.state ?? join(homedir(), '.fleetbook', 'agent');
    const name = values.name ?? hostname();
    if (name === '') throw new UsageError('--name must not be empty');
    const remark = (line: string) => context.err.write(`fleetbook agent: ${line}\n`);

    const unlock = lockFolder(folder);
    try {
      return await report(context, values, { folder, name, intervalMs, maxBytes, remark });
    } finally {
      unlock();
    }
  },
});

interface Reporting {
  readonly folder: string;
  readonly name: string;
  readonly intervalMs: number;
  /** Of the spool. */
  readonly maxBytes: number;
  readonly remark: (line: string) => void;
}

/** Until it is interrupted, or once. */
async function report(
  context: Context,
  values: Values,
  { folder, name, intervalMs, maxBytes, remark }: Reporting,
): Promise<ExitCode> {
  const url = chosenUrl(context, values.url);
  const kept = keptEnrolment(folder, url);
  const identity = isEnrolled(kept)
    ? kept
    : await enrolAtServer(context, values, { folder, kept, name, intervalMs });
  const spool = openSpool({ folder: join(folder, 'spool'), maxBytes });
  const { runtime } = context;
  const sources = [
    ...(values['log-file'] ?? []).map(followFile),
    ...(values.journal === undefined ? [] : [followJournal({ runtime, remark }, values.journal)]),
  ];
  if (values['from-start'] !== true) startFromNow(spool, sources);

  const connection = connect(identity.url, 1);
  const machine = agentOf({
    runtime,
    spool,
    sources,
    remark,
    vitals: vitalsOf(),
    version: packageVersion(),
    keepRejected: rejectedIn(folder),
    send: (request) => connection.send({ ...request, token: identity.token }),
  });
  try {
    if (values.once === true) return await reportOnce(context, machine);
    remark(`reporting as device ${identity.deviceId} to ${identity.url}`);
    await machine.run(intervalMs, context.interrupted());
    await machine.flush(AbortSignal.timeout(LAST_FLUSH_MS)).catch(() => false);
    return 0;
  } finally {
    for (const source of sources) source.close();
    await connection.close();
  }
}

async function reportOnce({ runtime, interrupted }: Context, machine: Agent): Promise<ExitCode> {
  // Before the pause too: a source that runs beside us has begun to talk after it.
  machine.observe();
  await runtime.sleep(CPU_SAMPLE_MS, interrupted());
  machine.beat();
  while (machine.observe() && !interrupted().aborted) await runtime.yield();
  return (await machine.flush(interrupted())) ? 0 : 1;
}

/** A source that has never been read begins now, and at no other time after a crash. */
function startFromNow(spool: Spool, sources: readonly Source[]): void {
  for (const source of sources) {
    if (spool.cursor(source.name) === undefined) {
      spool.remember({ source: source.name, at: source.now() });
    }
  }
}

interface Start {
  readonly folder: string;
  readonly kept: ReturnType<typeof keptEnrolment>;
  readonly name: string;
  readonly intervalMs: number;
}

async function enrolAtServer(
  context: Context,
  values: Parameters<typeof account>[1] & { readonly url?: string | undefined },
  { folder, kept, name, intervalMs }: Start,
): Promise<Identity> {
  const { runtime } = context;
  const credentials = await account(context, values);
  const url = kept?.url ?? chosenUrl(context, values.url) ?? DEFAULT_URL;
  const connection = patientConnection(context, url, 75_000);
  try {
    const session = await logIn({ send: connection.send, runtime }, credentials);
    const send = authorized(connection.send, session);
    return await enrol({ send, runtime, folder }, kept, { url, name, intervalMs });
  } finally {
    await connection.close();
  }
}
