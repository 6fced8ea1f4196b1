import type { Logger } from 'pino';
import { openSqliteEventLogReader } from './adapters/sqlite/eventStore.js';
import { sqliteReadModelStore } from './adapters/sqlite/readModelStore.js';
import { systemRuntime } from './adapters/system/runtime.js';
import { startRoleThread, type RoleThread } from './adapters/threads/roleThread.js';
import { createThreadSignals } from './adapters/threads/signals.js';
import { threadFile } from './adapters/threads/threadFile.js';
import { projections } from './projections/registry.js';
import { runProjections } from './projections/runner.js';
import type { Runtime } from './runtime.js';

/** What the projections need to know, in a form that reaches another thread. */
export interface ProjectionSettings {
  readonly files: { readonly log: string; readonly readModels: string };
  /** Which running system it belongs to: its parts hear each other's signals. */
  readonly instance: string;
  readonly logLevel: string;
}

/**
 * Opens what the projections need and runs them.
 * @returns what stops them
 */
export async function startProjections(
  { files, instance }: ProjectionSettings,
  log: Logger,
): Promise<() => Promise<void>> {
  const signals = createThreadSignals(instance);
  const store = sqliteReadModelStore(files.readModels);
  const reader = await openSqliteEventLogReader({ file: files.log, signals });
  const stopping = new AbortController();
  const runtime = systemRuntime;
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
    reset() {
      log.warn('the read models are ahead of the log and are built again');
    },
  };
  const running = runProjections(
    { log: reader, store, signals, runtime, projections, report },
    stopping.signal,
  );
  return async () => {
    stopping.abort();
    await running;
    await reader.stop();
    await store.stop();
    await signals.stop();
  };
}

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
