import { START, type Position } from '../events/envelope.js';
import type { Runtime } from '../runtime.js';
import type { Fold } from './fold.js';
import type { Gathered } from './gather.js';
import type { ReadModelStore } from './readModels.js';
import type { RunnerReport } from './report.js';
import type { Projected, Signals } from './signals.js';

export interface ApplyDeps {
  readonly store: ReadModelStore;
  readonly signals: Signals;
  readonly runtime: Runtime;
  readonly report: RunnerReport;
}

/**
 * What may wait to be written: the more, the more often a document is written once for many events;
 * but events, and documents of a large fleet, take memory until then.
 */
const WAITING_EVENTS = 40_000;
const WAITING_DOCUMENTS = 20_000;
const WAITING_BYTES = 48 * 1_048_576;

/**
 * Folds events into all of them, and writes what they made of them, at once or with the next ones.
 * @returns whether it is written
 */
export async function apply(
  deps: ApplyDeps,
  folds: readonly Fold[],
  { incoming, position, bytes, caughtUp }: Gathered,
): Promise<boolean> {
  await Promise.all(folds.map((fold) => fold.fold(incoming, position, bytes)));
  if (!caughtUp && !isMuch(folds)) return false;
  await write(deps, folds, position);
  return true;
}

function isMuch(folds: readonly Fold[]): boolean {
  const waiting = folds.map((fold) => fold.waiting());
  const documents = waiting.reduce((sum, one) => sum + one.documents, 0);
  return (
    documents >= WAITING_DOCUMENTS ||
    waiting.some(({ events, bytes }) => events >= WAITING_EVENTS || bytes >= WAITING_BYTES)
  );
}

/** Writes all that waits as one, and tells who waits for it. */
async function write(
  { store, signals, report }: ApplyDeps,
  folds: readonly Fold[],
  position: Position,
): Promise<void> {
  if (folds.length === 0) return;
  const batches = folds.map((fold) => fold.batch());
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
