import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import type { Runtime } from '../../runtime.js';

/** Time and chance as the machine has them. */
export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  uuid: () => v7(),
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
