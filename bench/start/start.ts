import { join } from 'node:path';
import type { Bench, Benchmark, Chapter } from '../harness/benchmark.js';
import { count, millis, spreadOf } from '../harness/figures.js';
import { median, spread } from '../harness/statistics.js';
import { prepareLog } from '../log/prepare.js';
import { removeDatabase } from '../log/raw.js';
import { cpuTime } from '../servers/cpu.js';
import { startFleetbook } from '../servers/fleetbook.js';
import { ask, askPatiently, logIn, settled, signUp, type Account } from '../servers/fleet.js';
import type { Server } from '../servers/server.js';

const DEVICES = 1_000;
/** A log's length, when it is short enough to be folded again for each round, and when it is long. */
const EVENTS = 100_000;
const MANY_EVENTS = 1_000_000;

export const start: Benchmark = { name: 'start', run };

/** Milliseconds from the start of the process. */
interface Started {
  /** To the first 200 of /readyz. */
  readonly readyMs: number;
  /** To the first 200 to an authenticated question, which may wait for the projections. */
  readonly answeredMs: number;
  /** Processor time of all its threads until then. */
  readonly cpuMs: number;
}

async function run({ quick, folder, say }: Bench): Promise<Chapter> {
  const rounds = quick ? 2 : 5;
  const home = folder('start');

  const empty: Started[] = [];
  for (let round = 0; round < rounds; round++) {
    const { server, began } = await started(join(home, `empty-${round}`));
    // Nobody is there to ask yet: signing up hashes a password, which takes its time on purpose.
    await fetch(`${server.url}/api/users/profile`);
    empty.push(answered(server, began));
    await server.stop();
  }

  const folderOfLog = join(home, 'long');
  const first = await started(folderOfLog);
  const account = await signUp(first.server.url);
  const device = await ask<{ id: string }>(`${account.url}/api/devices`, {
    token: account.token,
    body: { name: 'waits', type: 'sensor' },
  });
  await first.server.stop();
  say(`preparing a log of ${count(EVENTS)} events`);
  const data = join(folderOfLog, 'data');
  const log = join(data, 'log.db');
  await prepareLog(log, DEVICES, EVENTS);

  const behind: Started[] = [];
  const current: Started[] = [];
  for (let round = 0; round < rounds; round++) {
    removeDatabase(join(data, 'read-models.db'));
    say('catching up');
    behind.push(await once(folderOfLog, account, device.id));
    current.push(await once(folderOfLog, account, undefined));
  }

  say(`going on to ${count(MANY_EVENTS)} events`);
  await prepareLog(log, DEVICES, MANY_EVENTS - EVENTS);
  say('catching up');
  await once(folderOfLog, account, device.id);
  const long: Started[] = [];
  for (let round = 0; round < rounds; round++) {
    long.push(await once(folderOfLog, account, undefined));
  }
  return chapter({ empty, current, behind, long });
}

async function started(folder: string): Promise<{ server: Server; began: number }> {
  const began = performance.now();
  return { server: await startFleetbook(folder), began };
}

/** Starts on a log that has a user already; waits for the projections if a device is given. */
async function once(
  folder: string,
  account: Account,
  deviceId: string | undefined,
): Promise<Started> {
  const { server, began } = await started(folder);
  await askPatiently(`${server.url}/api/users/profile`, { token: account.token });
  const start = answered(server, began);
  if (deviceId !== undefined) await settled(await logIn(server.url), deviceId);
  await server.stop();
  return start;
}

/** What the start took, once its first answer has come. */
function answered({ pid, readyMs }: Server, began: number): Started {
  const answeredMs = performance.now() - began;
  const { serving, others } = cpuTime(pid);
  return { readyMs, answeredMs, cpuMs: (serving + others) * 1_000 };
}

function chapter(
  all: Record<'empty' | 'current' | 'behind' | 'long', readonly Started[]>,
): Chapter {
  const row = (name: string, starts: readonly Started[]) => [
    name,
    spreadOf(spread(starts.map(({ readyMs }) => readyMs)), millis),
    spreadOf(spread(starts.map(({ answeredMs }) => answeredMs)), millis),
    millis(median(starts.map(({ cpuMs }) => cpuMs))),
  ];
  const target = (what: string, starts: readonly Started[], seconds: number) => {
    const times = starts.map(({ answeredMs }) => answeredMs);
    return {
      what: `start to first answer, ${what}`,
      wanted: `< ${seconds} s`,
      measured: spreadOf(spread(times), millis),
      reached: median(times) < seconds * 1_000,
    };
  };
  const log = `a log of ${count(EVENTS)} events`;
  const longLog = `a log of ${count(MANY_EVENTS)} events`;
  return {
    title: 'Start',
    about: `From the start of the process to the first 200 of /readyz, and on to the first answer to an authenticated
question (on the empty store to an unauthenticated one, answered 401). Between a start and the next the server stops
as SIGTERM makes it.`,
    tables: [
      {
        columns: ['on', 'ready', 'answered', 'processor time'],
        rows: [
          row('an empty folder', all.empty),
          row(`${log}, projected`, all.current),
          row(`${log}, without its read models`, all.behind),
          row(`${longLog}, projected`, all.long),
        ],
      },
    ],
    targets: [target('an empty store', all.empty, 1), target(longLog, all.long, 5)],
  };
}
