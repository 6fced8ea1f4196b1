import { nextBeat } from './beat.js';
import { folding, type FoldingDeps } from './folding.js';
import { LeaseLost } from './leases.js';
import { shares, sharesOf, type Shares } from './shares.js';
import { tasksOf } from './tasks.js';

export type { RunnerReport } from './report.js';

export interface RunnerDeps extends FoldingDeps {
  /** An id of this run of this process, never used again. */
  readonly holder: string;
  /** In how many shards each projection is folded: the same in all processes. */
  readonly shards: number;
}

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

/**
 * Folds the log into the read models until `signal` aborts, together with all other processes that
 * do: each shard of each projection is folded by the one that holds its lease. What another puts
 * down, or no longer renews because it was killed, is taken over at the next beats.
 */
export async function runProjections(deps: RunnerDeps, signal: AbortSignal): Promise<void> {
  const own = shares(deps.store.leases, deps.holder, sharesOf(deps.projections, deps.shards));
  let wait = RETRY_MIN_MS;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const stop = () => {
      attempt.abort();
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      await runOnce(deps, own, attempt, () => {
        wait = RETRY_MIN_MS;
      });
    } catch (error) {
      // Memory may be ahead of the store now: everything begins again from what is written.
      if (!(error instanceof LeaseLost)) deps.report.fault(error);
      // What fails here time after time may go well elsewhere.
      if (wait > RETRY_MIN_MS) await leave(own);
      await deps.runtime.sleep(wait, signal);
      wait = Math.min(wait * 2, RETRY_MAX_MS);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
  await leave(own);
}

/** Until something fails: then nothing of this attempt is under way any more. */
async function runOnce(
  deps: RunnerDeps,
  own: Shares,
  attempt: AbortController,
  progressed: () => void,
): Promise<void> {
  const { signal } = attempt;
  const tasks = tasksOf(attempt);
  const work = folding(deps, tasks, signal, progressed);

  async function keep() {
    let waits = false;
    while (!signal.aborted) {
      const { held, surplus, others } = await own.beat();
      if (others.length > 0 && !waits) deps.report.standsBy(others.map(({ name }) => name));
      waits = others.length > 0;
      const before = work.tenures();
      const [put, taken] = [without(before, held), without(held, before)];
      for (const tenure of put) await work.drop(tenure);
      for (const tenure of surplus) await own.giveUp(tenure);
      await work.take(taken);
      if (put.length + taken.length > 0) deps.report.owns(held.map(({ lease }) => lease.name));
      await work.check();
      await nextBeat(deps.runtime, signal);
    }
  }

  void tasks.run(keep);
  await tasks.ended();
}

function without<One>(all: readonly One[], some: readonly One[]): readonly One[] {
  return all.filter((one) => !some.includes(one));
}

/** Where the store can't be told, the leases run out. */
async function leave(own: Shares): Promise<void> {
  try {
    await own.leave();
  } catch {
    // The store is away, which the attempt has told of.
  }
}
