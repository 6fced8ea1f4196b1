import type { Runtime } from '../../src/runtime.js';

export interface HurriedRuntime extends Runtime {
  /** How long has been slept, one by one, in milliseconds. */
  readonly slept: number[];
}

/** A clock on which every wait is over at once, and dice that always show the same. */
export function hurriedRuntime(start = 1_700_000_000_000): HurriedRuntime {
  const slept: number[] = [];
  let elapsed = 0;
  let ids = 0;
  return {
    slept,
    now: () => start + elapsed,
    monotonic: () => elapsed,
    uuid: () => `00000000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}`,
    randomBytes: (size) => Buffer.alloc(size),
    setTimer: () => ({ cancel: () => undefined }),
    sleep: async (ms, signal) => {
      if (signal?.aborted === true) return;
      slept.push(ms);
      elapsed += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
    yield: () => new Promise((resolve) => setImmediate(resolve)),
  };
}
