import { memoryReadModels } from '#dist/adapters/memory/readModels.js';
import { createMemorySignals } from '#dist/adapters/memory/signals.js';
import { openSqliteEventLogReader } from '#dist/adapters/sqlite/eventStore.js';
import { systemRuntime } from '#dist/adapters/system/runtime.js';
import { parsePosition, START } from '#dist/events/envelope.js';
import type { ProjectionBatch } from '#dist/projections/readModels.js';
import { projections } from '#dist/projections/registry.js';
import { runProjections } from '#dist/projections/runner.js';
import type { PreparedLog } from '../log/prepare.js';

/** What folding a log writes: each commit with the batches of all projections. */
export async function recordedCommits(log: PreparedLog): Promise<(readonly ProjectionBatch[])[]> {
  const head = parsePosition(log.head) ?? START;
  const signals = createMemorySignals();
  const reader = await openSqliteEventLogReader({ file: log.file, signals });
  const { store } = memoryReadModels();
  const commits: (readonly ProjectionBatch[])[] = [];
  const done = new AbortController();
  const recording = {
    ...store,
    async commit(batches: readonly ProjectionBatch[]) {
      await store.commit(batches);
      commits.push(batches);
      if (batches.every(({ checkpoint }) => checkpoint >= head)) done.abort();
    },
  };
  const fail = (error: unknown) => {
    throw error;
  };
  const report = {
    fault: fail,
    parked: fail,
    activated: () => undefined,
    reset: () => undefined,
    owns: () => undefined,
    standsBy: () => undefined,
  };
  await runProjections(
    {
      log: reader,
      store: recording,
      signals,
      runtime: systemRuntime,
      projections,
      report,
      holder: 'recorder',
      shards: 1,
    },
    done.signal,
  );
  await reader.stop();
  await signals.stop();
  return commits;
}
