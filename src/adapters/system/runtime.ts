import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import type { Runtime } from '../../runtime.js';

/** Asking the kernel for random bytes costs more than all else of an id: they are fetched for many at once. */
const POOL_IDS = 256;
const ID_BYTES = 16;
let pool = Buffer.alloc(0);
let used = 0;

function nextRandom(): Uint8Array {
  if (used >= pool.length) {
    pool = randomBytes(POOL_IDS * ID_BYTES);
    used = 0;
  }
  return pool.subarray(used, (used += ID_BYTES));
}

/** Those that wait for a turn of the event loop: each gets one to itself, however many wait. */
const yielding: (() => void)[] = [];

function giveTurn(): void {
  yielding.shift()?.();
  if (yielding.length > 0) setImmediate(giveTurn);
}

/** Time and chance as the machine has them. */
export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  uuid: () => v7({ rng: nextRandom }),
  randomBytes: (size) => randomBytes(size),
  setTimer(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return {
      cancel() {
        clearTimeout(timer);
      },
    };
  },
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    });
  },
  yield: () =>
    new Promise((resolve) => {
      if (yielding.push(resolve) === 1) setImmediate(giveTurn);
    }),
};
