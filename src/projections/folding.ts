import { START, type Position, type RecordedEvent } from '../events/envelope.js';
import type { EventStore } from '../events/eventStore.js';
import { announce, apply, type ApplyDeps } from './apply.js';
import { openFold, type Fold } from './fold.js';
import type { AnyProjection } from './projection.js';
import { GenerationDropped } from './readModels.js';
import { bytesAtHand, bytesOf, gathered, toFold } from './gather.js';
import { repeatsBefore, type Repeats } from './repeats.js';
import type { Tenure } from './shares.js';
import type { Tasks } from './tasks.js';
import { turns } from './turns.js';

export interface FoldingDeps extends ApplyDeps {
  readonly log: Pick<EventStore, 'head' | 'readAll' | 'subscribe'>;
  readonly projections: readonly AnyProjection[];
}

/** What this process folds at the moment. */
export interface Folding {
  tenures(): readonly Tenure[];
  /** Opens them where they are, and folds them from now on. */
  take(tenures: readonly Tenure[]): Promise<void>;
  /** Resolves once nothing more is written for it. */
  drop(tenure: Tenure): Promise<void>;
  /**
   * Asks the store about those for which nothing comes: whether queries see them by now, which
   * another's shard may have brought about.
   * @throws GenerationDropped when one was activated or reset from elsewhere
   */
  check(): Promise<void>;
}

/** Events that are read in one go: what a page of the log holds beside its events is soon garbage. */
const PAGE_EVENTS = 1_000;
/**
 * Having caught up, it rests: events that come by ones and twos are folded and written together. The more
 * came at once, the longer, in milliseconds: where thousands come, many of them change one document.
 */
const REST_MS = 16;
const LONGEST_REST_MS = 64;
const EVENTS_PER_MS = 25;

function restAfter(events: number): number {
  return Math.min(Math.max(REST_MS, events / EVENTS_PER_MS), LONGEST_REST_MS);
}

interface AtWork {
  readonly fold: Fold;
  readonly stop: AbortController;
  chasing: Promise<void>;
}

/**
 * Folds at one place in the log share one reading of it, and each batch is written with their
 * checkpoints as one. One that is behind chases the others by itself, so that they never wait for
 * it, and joins them when it has caught up.
 * @param signal ends everything
 * @param progressed called whenever something was written
 */
export function folding(
  deps: FoldingDeps,
  tasks: Tasks,
  signal: AbortSignal,
  progressed: () => void,
): Folding {
  const { log, store, signals, runtime, projections, report } = deps;
  const now = () => runtime.now();
  const atHand = bytesAtHand(projections);
  const types = [...new Set(projections.flatMap((one) => one.types))];
  const atWork = new Map<Tenure, AtWork>();
  const group: Fold[] = [];
  const inTurn = turns();
  /** How far the group has come, in memory if not in the store. */
  let reached: Position = START;
  let reading: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  function subscribe(
    from: Position,
    wanted: readonly string[],
    repeats: Repeats,
    until: AbortSignal,
  ) {
    const pages = log.subscribe({ from, types: wanted, signal: until, batchSize: PAGE_EVENTS });
    return gathered(pages, repeats, atHand, now);
  }

  async function follow(until: AbortSignal) {
    const repeats = await repeatsBefore(log, reached, types);
    for await (const batch of subscribe(reached, types, repeats, until)) {
      await inTurn(async () => {
        if (until.aborted) return;
        if (await apply(deps, group, batch)) progressed();
        reached = batch.position;
      });
      if (batch.caughtUp) await runtime.sleep(restAfter(batch.incoming.length), until);
    }
  }

  async function chase(fold: Fold, until: AbortSignal) {
    const { types } = fold.projection;
    const from = fold.checkpoint();
    const repeats = await repeatsBefore(log, from, types);
    for await (const batch of subscribe(from, types, repeats, until)) {
      await apply(deps, [fold], batch);
      if (batch.caughtUp || until.aborted) break;
    }
    await inTurn(async () => {
      if (until.aborted) return;
      await closeGap(fold, repeats);
      group.push(fold);
      await show(fold);
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
    const incoming = toFold(events, repeats, now);
    const bytes = bytesOf(incoming, atHand);
    await apply(deps, [fold], { incoming, position: reached, bytes, caughtUp: true });
  }

  /** Queries see one that has caught up as soon as all shards of its generation have. */
  async function show(fold: Fold) {
    if (fold.live() || !(await store.activate(fold.generation))) return;
    const { projection, number } = fold.generation;
    report.activated(projection, number);
    const shown = [...atWork.values()]
      .map((one) => one.fold)
      .filter(({ generation }) => generation.projection === projection)
      .filter(({ generation }) => generation.number === number);
    for (const each of shown) each.activated();
    announce(signals, shown);
  }

  /**
   * Checkpoints past the log's end say that the read models were folded from another log, as they
   * are after a backup of the log was restored beside them: nothing that is appended now would ever
   * be folded. All processes find that out, and each begins again from what the last of them made.
   */
  async function open(tenures: readonly Tenure[]): Promise<ReadonlyMap<Tenure, Fold>> {
    const folds = await openAll(tenures);
    const head = await log.head();
    if ([...folds.values()].every((fold) => fold.checkpoint() <= head)) return folds;
    report.reset();
    await store.reset();
    if (atWork.size > 0) throw new GenerationDropped('the read models are built again');
    const again = await openAll(tenures);
    announce(signals, [...again.values()]);
    return again;
  }

  async function openAll(tenures: readonly Tenure[]): Promise<ReadonlyMap<Tenure, Fold>> {
    const folds = await Promise.all(
      tenures.map(({ projection, shard, lease }) =>
        openFold(store, projection, { now, shard, lease }),
      ),
    );
    return new Map(
      tenures.flatMap((tenure, index) => {
        const fold = folds[index];
        return fold === undefined ? [] : [[tenure, fold]];
      }),
    );
  }

  return {
    tenures: () => [...atWork.keys()],

    async take(tenures) {
      if (tenures.length === 0) return;
      const folds = await open(tenures);
      const first = reading === undefined;
      if (first) {
        reached = [...folds.values()].reduce(
          (max, fold) => (fold.checkpoint() > max ? fold.checkpoint() : max),
          START,
        );
      }
      for (const [tenure, fold] of folds) {
        const stop = new AbortController();
        const one: AtWork = { fold, stop, chasing: Promise.resolve() };
        atWork.set(tenure, one);
        // One that queries do not see yet chases even when it is there: the chase shows it.
        if (first && fold.live() && fold.checkpoint() === reached) group.push(fold);
        else {
          const until = AbortSignal.any([signal, stop.signal]);
          one.chasing = tasks.run(() => chase(fold, until));
        }
      }
      if (!first) return;
      const stop = new AbortController();
      const until = AbortSignal.any([signal, stop.signal]);
      reading = { stop, ended: tasks.run(() => follow(until)) };
    },

    async drop(tenure) {
      const one = atWork.get(tenure);
      if (one === undefined) return;
      atWork.delete(tenure);
      one.stop.abort();
      await one.chasing;
      await inTurn(async () => {
        const place = group.indexOf(one.fold);
        if (place >= 0) group.splice(place, 1);
      });
      if (atWork.size > 0 || reading === undefined) return;
      // Nobody reads the log for nothing.
      reading.stop.abort();
      await reading.ended;
      reading = undefined;
    },

    async check() {
      for (const fold of [...group]) {
        if (fold.live()) await store.parkedKeys(fold.generation);
        else await show(fold);
      }
    },
  };
}
