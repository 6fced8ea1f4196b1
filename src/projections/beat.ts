import type { Runtime } from '../runtime.js';

/** How long a lease holds when it is not renewed, in milliseconds: what a kill costs at most, and a beat more. */
export const LEASE_MS = 5_000;

/** How often leases are renewed: two renewals may come to nothing before one runs out. */
export const BEAT_MS = Math.floor(LEASE_MS / 3);

/** Resolves when it is time to renew again, or as soon as `signal` aborts. */
export function nextBeat(runtime: Runtime, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = runtime.setTimer(BEAT_MS, done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
