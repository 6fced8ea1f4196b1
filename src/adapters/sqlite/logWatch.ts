import type { Position } from '../../events/envelope.js';
import { StoreUnavailable } from '../../events/eventStore.js';
import type { Signals } from '../../projections/signals.js';

/**
 * Milliseconds between two looks for what another process has appended, whose signals may not reach
 * this one: its events are to be read within 25 ms. A look itself takes 10 µs.
 */
const POLL_INTERVAL = 20;

/** Lets subscriptions wait for the log to grow. */
export interface LogWatch {
  /** Resolves when the log has grown past a position or `signal` aborts. */
  grownPast(position: Position, signal: AbortSignal): Promise<void>;
  /** Makes all that wait reject with StoreUnavailable 'stopped'. */
  stop(): void;
}

interface Waiting {
  readonly position: Position;
  readonly done: (error?: Error) => void;
}

/**
 * A signal is a hint and a poll is the truth: both only make the watch look at the log's head. It
 * polls while someone waits, which keeps the thread alive: a live subscription is a reason to live.
 */
export function watchLog(head: () => Position, signals: Signals): LogWatch {
  const waiting = new Set<Waiting>();
  let poll: NodeJS.Timeout | undefined;

  function look(): void {
    if (waiting.size === 0) return;
    try {
      const now = head();
      for (const one of [...waiting]) if (now > one.position) one.done();
    } catch (error) {
      releaseAll(error instanceof Error ? error : new Error(String(error)));
    }
  }

  function releaseAll(error: Error): void {
    for (const one of [...waiting]) one.done(error);
  }

  const unlisten = signals.listen((signal) => {
    if (signal.kind === 'log') look();
  });

  return {
    grownPast: (position, signal) =>
      new Promise((resolve, reject) => {
        const one: Waiting = {
          position,
          done(error) {
            waiting.delete(one);
            signal.removeEventListener('abort', abort);
            if (waiting.size === 0) {
              clearInterval(poll);
              poll = undefined;
            }
            if (error === undefined) resolve();
            else reject(error);
          },
        };
        const abort = (): void => one.done();
        waiting.add(one);
        poll ??= setInterval(look, POLL_INTERVAL);
        signal.addEventListener('abort', abort);
        if (signal.aborted) abort();
      }),
    stop() {
      unlisten();
      releaseAll(new StoreUnavailable('stopped', 'the event store is stopped'));
    },
  };
}
