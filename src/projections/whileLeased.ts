import { StoreUnavailable } from '../events/eventStore.js';
import type { Runtime } from '../runtime.js';
import { LEASE_MS, nextBeat } from './beat.js';
import type { Lease, Leases } from './leases.js';

export interface LeasedDeps {
  readonly leases: Leases;
  readonly runtime: Runtime;
  /** The lease's name. */
  readonly name: string;
  /** An id of this run of this process, never used again. */
  readonly holder: string;
}

/**
 * Does what only one of all processes is to do at a time: waits for the lease, works for as long as it
 * is held, and waits again when it is lost. Resolves when `signal` aborts or the work is done, and
 * rejects with what the work throws. While the store is away it waits; work under way ends then as
 * soon as the lease may have run out, by a clock that never jumps.
 *
 * A process that stood still may not know that it has lost the lease: what must never be done twice
 * is to be refused where it is written, by the lease's token.
 * @param work to end soon after its signal aborts
 */
export async function whileLeased(
  deps: LeasedDeps,
  signal: AbortSignal,
  work: (lease: Lease, until: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const asked = deps.runtime.monotonic();
    const lease = await acquire(deps);
    if (typeof lease === 'object' && (await hold(deps, signal, lease, asked, work))) return;
    await nextBeat(deps.runtime, signal);
  }
}

/** @returns whether the work is done, and was not just ended */
async function hold(
  deps: LeasedDeps,
  signal: AbortSignal,
  lease: Lease,
  asked: number,
  work: (lease: Lease, until: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const { leases, runtime } = deps;
  const [lost, ended] = [new AbortController(), new AbortController()];
  const until = AbortSignal.any([signal, lost.signal]);
  const renewing = AbortSignal.any([until, ended.signal]);

  // A timer, because an answer to a renewal may never come.
  const runsOut = (from: number) =>
    runtime.setTimer(from + LEASE_MS - runtime.monotonic(), () => {
      lost.abort();
    });
  let timer = runsOut(asked);

  async function renew() {
    for (;;) {
      await nextBeat(runtime, renewing);
      if (renewing.aborted) return;
      const from = runtime.monotonic();
      const again = await acquire(deps);
      if (again === 'store away') continue;
      if (again === 'taken' || again.token !== lease.token) lost.abort();
      timer.cancel();
      timer = runsOut(from);
    }
  }

  const renewed = renew();
  renewed.catch(() => {
    lost.abort();
  });
  try {
    await work(lease, until);
    return !until.aborted;
  } finally {
    ended.abort();
    // A renewal that is under way would take again what is given up here.
    await renewed;
    timer.cancel();
    await giveUp(leases, lease);
  }
}

async function acquire({ leases, name, holder }: LeasedDeps) {
  try {
    return (await leases.acquire(name, holder, LEASE_MS)) ?? 'taken';
  } catch (error) {
    if (error instanceof StoreUnavailable) return 'store away';
    throw error;
  }
}

async function giveUp(leases: Leases, lease: Lease): Promise<void> {
  try {
    await leases.release(lease);
  } catch (error) {
    // It runs out by itself.
    if (!(error instanceof StoreUnavailable)) throw error;
  }
}
