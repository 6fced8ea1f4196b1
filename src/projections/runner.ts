import { START, type Position, type RecordedEvent } from '../events/envelope.js';
import { catalog } from '../events/catalog.js';
import type { Batch, EventStore } from '../events/eventStore.js';
import type { Runtime } from '../runtime.js';
import { openFold, park, type Fold, type Incoming } from './fold.js';
import type { AnyProjection } from './projection.js';
import type { ReadModelStore } from './readModels.js';
import { repeatsBefore, type Repeats } from './repeats.js';
import type { Signals } from './signals.js';
import { turns } from './turns.js';

export interface RunnerDeps {
  readonly log: Pick<EventStore, 'head' | 'readAll' | 'subscribe'>;
  readonly store: ReadModelStore;
  readonly signals: Signals;
  readonly runtime: Runtime;
  readonly projections: readonly AnyProjection[];
  readonly report: RunnerReport;
}

/** What an operator should hear of. */
export interface RunnerReport {
  /** The log or the read models can't be used; the runner starts over from its checkpoints. */
  fault(error: unknown): void;
  parked(event: { projection: string; key: string; eventId: string; error: string }): void;
  /** A new generation has caught up and is what queries see now. */
  activated(projection: string, generation: number): void;
  /** The read models are ahead of the log, which is then another one, and are built again. */
  reset(): void;
}

/** The most events folded at once: the more, the more often a document is written once for many. */
const BATCH_SIZE = 20_000;
/** Having caught up, it rests: events that come by ones and twos are folded and written together. */
const REST_MS = 8;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

/**
 * Folds the log into the read models until `signal` aborts. Projections at one place in the log
 * share one reading of it, and each batch is written with their checkpoints as one. A projection that
 * is behind (it is new, or its version changed) chases the others by itself, so that they never
 * wait for it, and joins them when it has caught up.
 */
export async function runProjections(deps: RunnerDeps, signal: AbortSignal): Promise<void> {
  let wait = RETRY_MIN_MS;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const stop = () => {
      attempt.abort();
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      await runOnce(deps, attempt, () => {
        wait = RETRY_MIN_MS;
      });
    } catch (error) {
      // Memory may be ahead of the store now: everything begins again from what is written.
      deps.report.fault(error);
      await deps.runtime.sleep(wait, signal);
      wait = Math.min(wait * 2, RETRY_MAX_MS);
    } finally {
      attempt.abort();
      signal.removeEventListener('abort', stop);
    }
  }
}

async function runOnce(deps: RunnerDeps, attempt: AbortController, progressed: () => void) {
  const { signal } = attempt;
  const { log, store, runtime, projections, report } = deps;
  const folds = await openFolds(deps);
  const front = folds.reduce(
    (max, fold) => (fold.checkpoint() > max ? fold.checkpoint() : max),
    START,
  );
  // One that queries do not see yet chases even when it is at the front: the chase activates it.
  const isThere = (fold: Fold) => fold.live() && fold.checkpoint() === front;
  const group = folds.filter(isThere);
  const behind = folds.filter((fold) => !isThere(fold));
  const types = [...new Set(projections.flatMap((one) => one.types))];
  const inTurn = turns();
  let reached = front;

  async function follow() {
    const repeats = await repeatsBefore(log, reached, types);
    for await (const batch of subscribe(reached, types)) {
      await inTurn(async () => {
        await apply(deps, group, batch, repeats);
        reached = batch.position;
      });
      progressed();
      if (batch.caughtUp) await runtime.sleep(REST_MS, signal);
    }
  }

  async function chase(fold: Fold) {
    const repeats = await repeatsBefore(log, fold.checkpoint(), fold.projection.types);
    for await (const batch of subscribe(fold.checkpoint(), fold.projection.types)) {
      await apply(deps, [fold], batch, repeats);
      if (batch.caughtUp) break;
    }
    if (signal.aborted) return;
    await inTurn(async () => {
      await closeGap(fold, repeats);
      group.push(fold);
      if (!fold.live()) {
        await store.activate(fold.generation);
        fold.activated();
        report.activated(fold.projection.name, fold.generation.number);
      }
    });
  }

  /** What the group folded while the last batch of the chase was under way. */
  async function closeGap(fold: Fold, repeats: Repeats) {
    if (fold.checkpoint() >= reached) return;
    const gap = { from: fold.checkpoint(), types: fold.projection.types };
    const events: RecordedEvent[] = [];
    for await (const event of log.readAll(gap)) {
      if (event.position > reached) break;
      events.push(event);
    }
    await apply(deps, [fold], { events, position: reached, caughtUp: true }, repeats);
  }

  function subscribe(from: Position, wanted: readonly string[]) {
    return log.subscribe({ from, types: wanted, signal, batchSize: BATCH_SIZE });
  }

  const tasks = [follow(), ...behind.map(chase)];
  try {
    await Promise.all(tasks);
  } catch (error) {
    // Nothing of this attempt may still write when the next one begins.
    attempt.abort();
    await Promise.allSettled(tasks);
    throw error;
  }
}

/**
 * Opens what there is to go on with. Checkpoints past the log's end say that the read models were
 * folded from another log, as they are after a backup of the log was restored beside them: nothing
 * that is appended now would ever be folded.
 */
async function openFolds({ log, store, runtime, projections, report }: RunnerDeps) {
  const now = () => runtime.now();
  const open = () => Promise.all(projections.map((one) => openFold(store, one, now)));
  const folds = await open();
  const head = await log.head();
  if (folds.every((fold) => fold.checkpoint() <= head)) return folds;
  report.reset();
  await store.reset();
  return open();
}

async function apply(
  { store, signals, runtime, report }: RunnerDeps,
  folds: readonly Fold[],
  { events, position }: Batch,
  repeats: Repeats,
) {
  const incoming = events
    .filter(({ id }) => !repeats.seen(id))
    .map((event) => upcast(event, runtime.now()));
  const batches = await Promise.all(folds.map((fold) => fold.fold(incoming, position)));
  await store.commit(batches);
  folds.forEach((fold, index) => {
    const batch = batches[index];
    if (batch === undefined) return;
    fold.settle(batch);
    for (const { projection, key, eventId, error } of batch.parked) {
      report.parked({ projection, key, eventId, error });
    }
  });
  const projected = folds.filter((fold) => fold.live());
  if (projected.length > 0) {
    const names = projected.map(({ projection }) => projection.name);
    signals.publish({ kind: 'projected', projections: names, position });
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
