import { BroadcastChannel } from 'node:worker_threads';
import type { Signal, Signals } from '../../projections/signals.js';
import { createMemorySignals } from '../memory/signals.js';

/**
 * Signals between the threads of one process. All who give the same `instance` hear each other, so
 * two instances in one process need two names. Never keeps a thread alive.
 */
export function createThreadSignals(instance: string): Signals {
  const here = createMemorySignals();
  const channel = new BroadcastChannel(`fleetbook-signals-${instance}`);
  channel.onmessage = (message: unknown) => {
    const signal = signalIn(message);
    if (signal !== undefined) here.publish(signal);
  };
  channel.unref();
  let stopped = false;

  return {
    publish(signal) {
      if (stopped) return;
      // A BroadcastChannel does not hear itself.
      here.publish(signal);
      channel.postMessage(signal);
    },
    listen: (listener) => here.listen(listener),
    async stop() {
      if (stopped) return;
      stopped = true;
      channel.close();
      await here.stop();
    },
  };
}

/** Only our own threads know the channel, so what has a kind is a signal. */
function signalIn(message: unknown): Signal | undefined {
  if (typeof message !== 'object' || message === null || !('data' in message)) return undefined;
  const { data } = message;
  if (typeof data !== 'object' || data === null || !('kind' in data)) return undefined;
  return data as Signal;
}
