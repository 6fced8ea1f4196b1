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
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};
