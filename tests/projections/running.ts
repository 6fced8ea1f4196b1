import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { memoryReadModels } from '../../src/adapters/memory/readModels.js';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { openSqliteEventStore } from '../../src/adapters/sqlite/eventStore.js';
import { sqliteReadModels } from '../../src/adapters/sqlite/readModels.js';
import { sqliteReadModelStore } from '../../src/adapters/sqlite/readModelStore.js';
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
import { hurriedRuntime } from '../support/hurriedRuntime.js';
import { temporaryFile } from '../support/temporaryFile.js';

/** A log and read models, empty at first. */
export interface Stores {
  readonly log: EventStore;
  /** The writing side as a process that has just started opens it. */
  readonly store: () => ReadModelStore;
  readonly reads: ReadModels;
  stop(): Promise<void>;
}

/** Leases run out by `now`. */
export type Backend = readonly [name: string, open: (now?: () => number) => Promise<Stores>];

export const inMemory: Backend = [
  'memory',
  async (now) => {
    const { store, reads } = memoryReadModels(now);
    return { log: openMemoryEventStore(), store: () => store, reads, stop: async () => {} };
  },
];

export const inSqlite: Backend = [
  'SQLite',
  async (now) => {
    const temporary = temporaryFile('log.db');
    const file = temporary.file.replace('log.db', 'read-models.db');
    const log = await openSqliteEventStore({
      file: temporary.file,
      signals: createMemorySignals(),
    });
    const stores: ReadModelStore[] = [];
    const reads = sqliteReadModels(file);
    return {
      log,
      store() {
        const store = sqliteReadModelStore(file, now);
        stores.push(store);
        return store;
      },
      reads,
      async stop() {
        await Promise.all([log, reads, ...stores].map((one) => one.stop()));
        temporary.remove();
      },
    };
  },
];

/** A runner at work. */
export interface Running {
  readonly faults: unknown[];
  readonly parked: Omit<Parked, 'position' | 'eventType' | 'parkedAt'>[];
  readonly activated: string[];
  /** What it folds, by the names of its leases, one entry for each change. */
  readonly owned: (readonly string[])[];
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
    runtime: hurriedRuntime(),
  };
  let resets = 0;
  const ended = runProjections(
    {
      log: stores.log,
      store: given.store ?? stores.store(),
      signals: createMemorySignals(),
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
