import { mongoReadModelStore } from '../../src/adapters/mongodb/readModelStore.js';
import { mongoReadModels } from '../../src/adapters/mongodb/readModels.js';
import { redisSignals } from '../../src/adapters/redis/signals.js';
import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { memoryReadModels } from '../../src/adapters/memory/readModels.js';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { openSqliteEventStore } from '../../src/adapters/sqlite/eventStore.js';
import { sqliteReadModels } from '../../src/adapters/sqlite/readModels.js';
import { sqliteReadModelStore } from '../../src/adapters/sqlite/readModelStore.js';
import { systemRuntime } from '../../src/adapters/system/runtime.js';
import type { EventStore } from '../../src/events/eventStore.js';
import { projection, type AnyProjection } from '../../src/projections/projection.js';
import type {
  Doc,
  Page,
  Parked,
  ReadModels,
  ReadModelStore,
} from '../../src/projections/readModels.js';
import { runProjections, type RunnerDeps } from '../../src/projections/runner.js';
import type { Signals } from '../../src/projections/signals.js';
import { isOn, redisUrl } from '../support/backends.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';
import { temporaryDatabase } from '../support/mongodb.js';
import { temporaryFile } from '../support/temporaryFile.js';

/** A log and read models, empty at first. */
export interface Stores {
  readonly log: EventStore;
  /** The writing side as a process that has just started opens it. */
  readonly store: () => ReadModelStore;
  readonly reads: ReadModels;
  /** As a process that has just started hears them. */
  readonly signals: () => Signals;
  stop(): Promise<void>;
}

/**
 * Leases run out by `now`.
 * @param runs as many of a property as it can bear
 */
export type Backend = readonly [
  name: string,
  open: (now?: () => number) => Promise<Stores>,
  runs: number,
];

const inMemory: Backend = [
  'memory',
  async (now) => {
    const { store, reads } = memoryReadModels(now);
    const signals = createMemorySignals;
    return {
      log: openMemoryEventStore(),
      store: () => store,
      reads,
      signals,
      stop: async () => {},
    };
  },
  60,
];

const inSqlite: Backend = [
  'SQLite',
  (now) =>
    besideLog(async (file) => {
      const reads = sqliteReadModels(file);
      return { store: () => sqliteReadModelStore(file, now), reads, stop: async () => {} };
    }),
  8,
];

const inMongodb: Backend = [
  'MongoDB',
  (now) =>
    besideLog(async () => {
      const database = temporaryDatabase();
      const mongo = await database.connect();
      return {
        store: () => mongoReadModelStore(mongo, now),
        reads: mongoReadModels(mongo),
        stop: () => database.drop(),
      };
    }),
  Number(process.env.MONGODB_PROPERTY_RUNS ?? 4),
];

/** What the suites of the projections run on: the embedded stores, or what TEST_BACKENDS names. */
export const backends: readonly Backend[] = isOn('mongodb')
  ? [inMongodb]
  : isOn('redis')
    ? [inSqlite]
    : [inMemory, inSqlite];

/** The log in a file, and the read models as `openReadModels` has them, in a file beside it or elsewhere. */
async function besideLog(
  openReadModels: (file: string) => Promise<Pick<Stores, 'store' | 'reads' | 'stop'>>,
): Promise<Stores> {
  const temporary = temporaryFile('log.db');
  const log = await openSqliteEventStore({
    file: temporary.file,
    signals: createMemorySignals(),
  });
  const { store, reads, stop } = await openReadModels(
    temporary.file.replace('log.db', 'read-models.db'),
  );
  const opened: { stop(): Promise<void> }[] = [log, reads];
  const keep = <Side extends { stop(): Promise<void> }>(side: Side) => {
    opened.push(side);
    return side;
  };
  return {
    log,
    store: () => keep(store()),
    reads,
    signals: () => keep(isOn('redis') ? throughRedis(temporary.file) : createMemorySignals()),
    async stop() {
      await Promise.all(opened.map((one) => one.stop()));
      await stop();
      temporary.remove();
    },
  };
}

/** Between all that have the same log. */
function throughRedis(log: string): Signals {
  return redisSignals({
    settings: { url: redisUrl() },
    channel: log,
    runtime: systemRuntime,
    report: { away: () => undefined, back: () => undefined },
    local: createMemorySignals(),
  });
}

/** A runner at work. */
export interface Running {
  readonly faults: unknown[];
  readonly parked: Omit<Parked, 'position' | 'eventType' | 'parkedAt'>[];
  readonly activated: string[];
  /** What it folds, by the names of its leases, one entry for each change. */
  readonly owned: (readonly string[])[];
  /** Whose end it waited for, time by time. */
  readonly stoodBy: readonly (readonly string[])[];
  /** How often the read models were found ahead of the log. */
  readonly resets: () => number;
  readonly runtime: ReturnType<typeof hurriedRuntime>;
  /** Resolves when the runner has ended. */
  stop(): Promise<void>;
}

/** So many have been run: each is another holder. */
let processes = 0;

export function run(
  stores: Stores,
  projections: readonly AnyProjection[],
  given: Partial<RunnerDeps> = {},
): Running {
  const stopping = new AbortController();
  const running = {
    faults: [] as unknown[],
    parked: [] as Running['parked'],
    activated: [] as string[],
    owned: [] as (readonly string[])[],
    stoodBy: [] as (readonly string[])[],
    runtime: hurriedRuntime(),
  };
  let resets = 0;
  const ended = runProjections(
    {
      log: stores.log,
      store: given.store ?? stores.store(),
      signals: given.signals ?? stores.signals(),
      runtime: running.runtime,
      projections,
      holder: `process ${(processes += 1)}`,
      shards: 1,
      report: {
        fault: (error) => running.faults.push(error),
        parked: (event) => running.parked.push(event),
        activated: (name, generation) => running.activated.push(`${name} ${generation}`),
        reset: () => (resets += 1),
        owns: (shares) => running.owned.push(shares),
        standsBy: (others) => running.stoodBy.push(others),
      },
      ...given,
    },
    stopping.signal,
  );
  return {
    ...running,
    resets: () => resets,
    stop() {
      stopping.abort();
      return ended;
    },
  };
}

/** Resolves as soon as the condition holds. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when queries see all that is in the log. */
export async function caughtUp(
  { log, reads }: Stores,
  projections: readonly AnyProjection[],
): Promise<void> {
  const head = await log.head();
  for (const { name } of projections)
    await until(async () => (await reads.checkpoint(name)) >= head);
}

/** Runs the projections until they have caught up. */
export async function runThrough(
  stores: Stores,
  projections: readonly AnyProjection[],
  given?: Partial<RunnerDeps>,
): Promise<Running> {
  const running = run(stores, projections, given);
  await caughtUp(stores, projections);
  await running.stop();
  return running;
}

/** All that queries see of a collection, in the order of the documents' keys. */
export async function allOf(reads: ReadModels, collection: string): Promise<readonly Doc[]> {
  const docs: Doc[] = [];
  let cursor: string | null = null;
  do {
    const page: Page = await reads.find(collection, {
      where: {},
      limit: 200,
      ...(cursor !== null && { cursor }),
    });
    docs.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return docs;
}

export type TallyDoc = Readonly<{ deviceId: string; count: number; events: readonly string[] }>;

/**
 * Tallies the log lines of each device by `step`. A line named `gone` removes the document, one named
 * `poison` can't be folded, and of one named `lost` it can't be told whose it is.
 */
export function tally(version = 1, step = 1): AnyProjection {
  return projection<TallyDoc>({
    name: 'tally',
    version,
    collection: { name: 'tally', indexes: [{ fields: ['count'] }] },
    on: {
      LogRecorded: {
        key({ data }) {
          if (data.event === 'lost') throw new RangeError('whose is it?');
          return data.deviceId;
        },
        fold(doc, { data: { deviceId, event } }) {
          if (event === 'poison') throw new TypeError('not to be folded');
          if (event === 'gone') return null;
          const { count = 0, events = [] } = doc ?? {};
          return { deviceId, count: count + step, events: [...events, event] };
        },
      },
    },
  });
}
