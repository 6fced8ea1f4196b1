import type { Runtime } from '../../runtime.js';
import type { Outcome, Tally } from './tally.js';

export interface LoadPlan {
  /** Requests a second; 0 is as fast as they are answered. */
  readonly rate: number;
  /** Requests under way at once, at most. */
  readonly inFlight: number;
  /** Ends after so many requests. */
  readonly count: number;
  /** Ends after so many milliseconds. */
  readonly durationMs: number;
}

export interface LoadDeps {
  readonly runtime: Runtime;
  readonly tally: Tally;
  /** Sends the request with the given number; never rejects. */
  readonly send: (index: number) => Promise<Outcome>;
}

export interface LoadResult {
  readonly elapsedMs: number;
  /** Requests that were due at the end and had not been sent. */
  readonly behind: number;
}

/** Shorter than the gap that matters: a burst of 2 ms at 5,000/s is ten requests. */
const TICK_MS = 2;

/** How long the end waits for the answers still out. */
const LONGEST_DRAIN_MS = 10_000;

const UNANSWERED: Outcome = { kind: 'failed', reason: 'no answer at the end' };

/**
 * Open-loop load: request i is due at i/rate, whatever became of those before it, and its latency
 * counts from then. So a server that stalls is charged for all who would have come meanwhile
 * ("coordinated omission"), also where the bound on requests under way held them back.
 * Resolves when the plan is done or the signal aborts, and every request sent has been answered, or 10 s later.
 */
export async function runLoad(
  { runtime, tally, send }: LoadDeps,
  plan: LoadPlan,
  signal: AbortSignal,
): Promise<LoadResult> {
  const gapMs = plan.rate > 0 ? 1_000 / plan.rate : 0;
  const start = runtime.monotonic();
  const end = start + plan.durationMs;
  let answered: () => void = () => undefined;
  const idle = new Promise<void>((resolve) => (answered = resolve));
  let next = 0;
  let underWay = 0;
  let open = true;

  /** Sends what is due; false when nothing more will be. */
  function pump(now: number): boolean {
    if (now >= end || signal.aborted) open = false;
    while (open && next < plan.count && underWay < plan.inFlight && start + next * gapMs <= now) {
      launch(next, gapMs > 0 ? start + next * gapMs : now);
      next += 1;
    }
    if (next >= plan.count) open = false;
    if (!open && underWay === 0) answered();
    return open;
  }

  function launch(index: number, due: number): void {
    underWay += 1;
    tally.sent();
    void send(index).then((outcome) => {
      const now = runtime.monotonic();
      underWay -= 1;
      tally.settled(outcome, now - due);
      pump(now);
    });
  }

  while (pump(runtime.monotonic())) await runtime.sleep(TICK_MS, signal);
  const stopped = Math.min(runtime.monotonic(), end);
  await within(runtime, LONGEST_DRAIN_MS, idle);
  for (; underWay > 0; underWay -= 1) tally.settled(UNANSWERED, LONGEST_DRAIN_MS);
  const due = gapMs > 0 ? Math.min(plan.count, Math.floor((stopped - start) / gapMs)) : next;
  return { elapsedMs: runtime.monotonic() - start, behind: Math.max(0, due - next) };
}

/** Waits for the promise, but no longer than `ms`. */
async function within(runtime: Runtime, ms: number, promise: Promise<void>): Promise<void> {
  const settled = new AbortController();
  await Promise.race([promise, runtime.sleep(ms, settled.signal)]);
  settled.abort();
}
