import { systemRuntime } from '../../src/adapters/system/runtime.js';
import type { Runtime } from '../../src/runtime.js';

/** A clock that stands still until it is told to move on; waiting and chance are the machine's. */
export interface DrivenRuntime extends Runtime {
  advance(ms: number): void;
}

/** The middle of an hour, of a day and of a month: what is near now falls into the same buckets. */
export const NOON = Date.parse('2026-03-15T12:30:00.000Z');

export function drivenRuntime(start = NOON): DrivenRuntime {
  let advanced = 0;
  return {
    ...systemRuntime,
    now: () => start + advanced,
    advance(ms) {
      advanced += ms;
    },
  };
}
