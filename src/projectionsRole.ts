import type { Logger } from 'pino';
import { openSqliteEventLogReader } from './adapters/sqlite/eventStore.js';
import { systemRuntime } from './adapters/system/runtime.js';
import { startRoleThread, type RoleThread } from './adapters/threads/roleThread.js';
import { createThreadSignals } from './adapters/threads/signals.js';
import { threadFile } from './adapters/threads/threadFile.js';
import { projections } from './projections/registry.js';
import { runProjections } from './projections/runner.js';
import type { MongodbConfig } from './config.js';
import type { Runtime } from './runtime.js';
import { openReadModelStore } from './stores.js';

/** What the projections need to know, in a form that reaches another thread. */
export interface ProjectionSettings {
  readonly files: { readonly log: string; readonly readModels: string };
  /** Where the read models are instead of in their file. */
  readonly mongodb?: MongodbConfig | undefined;
  /** Which running system it belongs to: its parts hear each other's signals. */
  readonly instance: string;
  readonly logLevel: string;
  /**
   * In how many shards each projection is folded, 1 unless given: that many processes can share the
   * work of one. The same in all processes of one installation.
   */
  readonly shards?: number;
  /** What the process is called in its leases, for who looks at them; each start adds an id of its own. */
  readonly holder?: string;
}

/**
 * Opens what the projections need and runs them, alone or with other processes on the same files.
 * @returns what stops them, and hands their work over
 */
export async function startProjections(
  { files, mongodb, instance, shards = 1, holder: called }: ProjectionSettings,
  log: Logger,
): Promise<() => Promise<void>> {
  const signals = createThreadSignals(instance);
  const store = await openReadModelStore({ file: files.readModels, mongodb });
  const reader = await openSqliteEventLogReader({ file: files.log, signals });
  const stopping = new AbortController();
  const runtime = systemRuntime;
  const holder = [...(called === undefined ? [] : [called]), runtime.uuid()].join(' ');
  const report = {
    fault(error: unknown) {
      log.error({ err: error }, 'projecting failed; going on from the checkpoints');
    },
    parked(event: object) {
      log.error(event, 'an event could not be folded and is parked');
    },
    activated(projection: string, generation: number) {
      log.info({ projection, generation }, 'a new generation is live');
    },
    owns(shares: readonly string[]) {
      log.info({ shares }, 'folding');
    },
    standsBy(others: readonly string[]) {
      const why = 'others fold with another PROJECTION_SHARDS; standing by until they have ended';
      log.warn({ shards, others }, why);
    },
    reset() {
      log.warn('the read models are ahead of the log and are built again');
    },
  };
  const running = runProjections(
    { log: reader, store, signals, runtime, projections, report, holder, shards },
    stopping.signal,
  );
  const alive = stayAlive(runtime, stopping.signal);
  return async () => {
    stopping.abort();
    await Promise.all([running, alive]);
    await reader.stop();
    await store.stop();
    await signals.stop();
  };
}

/** One that stands by, with nothing to fold, waits by timers that would let its process end. */
async function stayAlive(runtime: Runtime, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await runtime.sleep(STANDBY_MS, signal);
}

const STANDBY_MS = 60_000;

/** The projections on a thread of their own. */
export interface SupervisedProjections {
  running(): boolean;
  stop(): Promise<void>;
}

const RESTART_MS = 1_000;

/** Keeps the projections running on a thread: one that dies is started again. */
export function superviseProjections(
  settings: ProjectionSettings,
  runtime: Runtime,
  log: Logger,
): SupervisedProjections {
  const stopping = new AbortController();
  const { signal } = stopping;
  let thread: RoleThread | undefined;
  let running = false;

  async function supervise() {
    while (!signal.aborted) {
      try {
        thread = startRoleThread(threadFile(import.meta.url, './projectionsThread.js'), settings);
        await thread.started;
        running = true;
        await Promise.race([thread.died, aborted(signal)]);
      } catch (error) {
        running = false;
        log.error({ err: error }, 'the projections’ thread died; starting it again');
        await runtime.sleep(RESTART_MS, signal);
      }
    }
  }

  const supervised = supervise();
  return {
    running: () => running,
    async stop() {
      running = false;
      stopping.abort();
      await supervised;
      await thread?.stop();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
}
