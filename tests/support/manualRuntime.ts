import { systemRuntime } from '../../src/adapters/system/runtime.js';
import type { Runtime } from '../../src/runtime.js';

/** A clock whose timers go off when it is told to move on, and not before. */
export interface ManualRuntime extends Runtime {
  /** Moves on, and lets what was due run to its end as far as it needs no more than microtasks. */
  advance(ms: number): Promise<void>;
}

export function manualRuntime(start = 1_700_000_000_000): ManualRuntime {
  let elapsed = 0;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    ...systemRuntime,
    now: () => start + elapsed,
    monotonic: () => elapsed,
    setTimer(ms, callback) {
      const timer = { at: elapsed + ms, callback };
      timers.add(timer);
      return { cancel: () => timers.delete(timer) };
    },
    async advance(ms) {
      const until = elapsed + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        elapsed = next.at;
        next.callback();
        await new Promise((resolve) => setImmediate(resolve));
      }
      elapsed = until;
    },
  };
}
