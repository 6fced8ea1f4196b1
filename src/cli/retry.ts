import type { Runtime } from '../runtime.js';
import type { Send } from './client.js';
import { ApiProblem, ServerUnreachable } from './errors.js';

export interface RetryPolicy {
  /** No attempt starts later than this after the first. */
  readonly giveUpAfterMs: number;
  /** Ends the waiting, with the failure waited out; a request under way is left to end by itself. */
  readonly signal?: AbortSignal;
  /** Told before each wait. */
  readonly onWait?: (waitMs: number, cause: Error) => void;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 30_000;
const PASSING = new Set([429, 502, 503, 504]);

/** Whether another attempt may go better: no answer, too many requests, or a server not ready. */
export function isPassing(error: unknown): error is ApiProblem | ServerUnreachable {
  return (
    error instanceof ServerUnreachable || (error instanceof ApiProblem && PASSING.has(error.status))
  );
}

/**
 * How long to wait after the given number of failed attempts: what the server asked for, else twice
 * as long each time up to 30 s, less up to a half by chance, so that a fleet does not return in step.
 */
export function backoffMs(runtime: Runtime, failures: number, cause?: unknown): number {
  if (cause instanceof ApiProblem && cause.retryAfterMs !== undefined) return cause.retryAfterMs;
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 10));
  return ceiling * (1 - runtime.randomBytes(1).readUInt8() / 512);
}

/**
 * Repeats an attempt that failed in passing. The caller makes the request safe to repeat, by an
 * idempotency key or ids of its own.
 */
export function retrying(runtime: Runtime, policy: RetryPolicy): (send: Send) => Send {
  return (send) => async (request) => {
    const started = runtime.monotonic();
    for (let failures = 1; ; failures += 1) {
      try {
        return await send(request);
      } catch (error) {
        if (!isPassing(error)) throw error;
        const wait = backoffMs(runtime, failures, error);
        if (runtime.monotonic() + wait - started > policy.giveUpAfterMs) throw error;
        policy.onWait?.(wait, error);
        await runtime.sleep(wait, policy.signal);
        if (policy.signal?.aborted === true) throw error;
      }
    }
  };
}
