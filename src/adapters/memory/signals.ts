import type { Signal, Signals } from '../../projections/signals.js';

/** Signals within one thread. Delivered after the publisher's own code has run, in order. */
export function createMemorySignals(): Signals {
  const listeners = new Set<(signal: Signal) => void>();
  return {
    publish(signal) {
      queueMicrotask(() => {
        for (const listener of [...listeners]) {
          if (listeners.has(listener)) listener(signal);
        }
      });
    },
    listen(given) {
      // A function of its own for each call: one listener given twice hears twice and leaves once.
      const listener = (signal: Signal) => given(signal);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      listeners.clear();
    },
  };
}
