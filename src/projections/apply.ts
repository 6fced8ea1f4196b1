import { catalog } from '../events/catalog.js';
import { START, type RecordedEvent } from '../events/envelope.js';
import type { Batch } from '../events/eventStore.js';
import type { Runtime } from '../runtime.js';
import { park, type Fold, type Incoming } from './fold.js';
import type { ReadModelStore } from './readModels.js';
import type { Repeats } from './repeats.js';
import type { RunnerReport } from './report.js';
import type { Projected, Signals } from './signals.js';

export interface ApplyDeps {
  readonly store: ReadModelStore;
  readonly signals: Signals;
  readonly runtime: Runtime;
  readonly report: RunnerReport;
}

/** Folds one batch into all of them, writes it as one, and tells who waits for it. */
export async function apply(
  { store, signals, runtime, report }: ApplyDeps,
  folds: readonly Fold[],
  { events, position }: Pick<Batch, 'events' | 'position'>,
  repeats: Repeats,
): Promise<void> {
  const incoming = events
    .filter(({ id }) => !repeats.seen(id))
    .map((event) => upcast(event, runtime.now()));
  if (folds.length === 0) return;
  const batches = await Promise.all(folds.map((fold) => fold.fold(incoming, position)));
  await store.commit(batches);
  const projected: Projected[] = [];
  folds.forEach((fold, index) => {
    const batch = batches[index];
    if (batch === undefined) return;
    const moved = fold.settle(batch);
    if (fold.live()) projected.push(moved);
    for (const { projection, key, eventId, error } of batch.parked) {
      report.parked({ projection, key, eventId, error });
    }
  });
  if (projected.length > 0) {
    signals.publish({ kind: 'projected', projections: projected, position });
  }
}

/** Tells that everything of these may be another now: other documents took the place of those that were seen. */
export function announce(signals: Signals, folds: readonly Fold[]): void {
  for (const fold of folds) {
    const { projection, shard } = fold.generation;
    signals.publish({
      kind: 'projected',
      projections: [{ name: projection, shard, from: START, tags: 'all' }],
      position: fold.checkpoint(),
    });
  }
}

function upcast(event: RecordedEvent, now: number): Incoming {
  const { position, type, stream } = event;
  try {
    return { event: catalog.upcast(event), position };
  } catch (error) {
    return { poison: park('', stream, event, error, now), type, stream, position };
  }
}
