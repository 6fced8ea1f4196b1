import type { Runtime, Timer } from '../../src/runtime.js';
import { NOON } from '../support/drivenRuntime.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';

/** A clock that several processes share: it stands still until it is told to pass. */
export interface DrivenClock {
  now(): number;
  /** A process's own view of it: its timers go off as the clock passes, its sleeps are over at once. */
  runtime(): DrivenView;
  /** Lets so much time pass, step by step, and what was waited for in it happen. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until the condition holds. @returns how much passed @throws when that takes longer than `limitMs` */
  passUntil(condition: () => Promise<boolean> | boolean, limitMs: number): Promise<number>;
}

export interface DrivenView extends Runtime {
  /**
   * From now on, unless told otherwise, time passes only while a timer of this process runs: what
   * takes real time, such as another thread, takes none of this clock's.
   */
  attend(isAttended: boolean): void;
}

const STEP_MS = 100;
/** How many turns of the event loop what a timer sets off may take, at one moment of this clock. */
const TURNS = 12;

export function drivenClock(): DrivenClock {
  let elapsed = 0;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  const isBusy = new Set<() => boolean>();

  function runtime(): DrivenView {
    let running = 0;
    const busy = () => running === 0;

    function setTimer(ms: number, callback: () => void): Timer {
      const timer = {
        at: elapsed + ms,
        callback() {
          running -= 1;
          callback();
        },
      };
      running += 1;
      timers.add(timer);
      return {
        cancel() {
          if (timers.delete(timer)) running -= 1;
        },
      };
    }

    return {
      ...hurriedRuntime(),
      now: () => NOON + elapsed,
      monotonic: () => elapsed,
      setTimer,
      sleep: async (_ms, signal) => {
        if (signal?.aborted !== true) await turns(1);
      },
      attend(isAttended) {
        if (isAttended) isBusy.add(busy);
        else isBusy.delete(busy);
      },
    };
  }

  async function pass(ms: number): Promise<void> {
    const end = elapsed + ms;
    while (elapsed < end) {
      elapsed = Math.min(end, elapsed + STEP_MS);
      for (const timer of [...timers].filter(({ at }) => at <= elapsed)) {
        if (timers.delete(timer)) timer.callback();
      }
      await turns(TURNS);
      while ([...isBusy].some((busy) => busy())) await turns(1);
    }
  }

  return {
    now: () => NOON + elapsed,
    runtime,
    pass,
    async passUntil(condition, limitMs) {
      const begun = elapsed;
      while (!(await condition())) {
        if (elapsed - begun >= limitMs) throw new Error(`not within ${limitMs} ms`);
        await pass(STEP_MS);
      }
      return elapsed - begun;
    },
  };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
