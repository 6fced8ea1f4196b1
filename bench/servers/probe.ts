import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a server under test (`node --import`): measures how long its event loop stalls, and
 * ends it when the benchmark is gone. The same for every server, so that it weighs on all alike.
 */

/** What the server answers when it is sent 'stall'. */
export interface Stalls {
  /**
   * The longest time between two turns since the last question, in milliseconds: at most one
   * more than the longest stall.
   */
  readonly longestMs: number;
  readonly p99Ms: number;
}

const RESOLUTION_MS = 1;

if (isMainThread && process.send !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  process.on('message', (message) => {
    if (message !== 'stall') return;
    const answer: Stalls = { longestMs: delays.max / 1e6, p99Ms: delays.percentile(99) / 1e6 };
    delays.reset();
    process.send?.(answer);
  });
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // It keeps no server from ending by itself.
  process.channel?.unref();
}
