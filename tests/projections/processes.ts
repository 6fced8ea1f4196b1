import type { AnyProjection } from '../../src/projections/projection.js';
import type { ReadModelStore } from '../../src/projections/readModels.js';
import type { RunnerDeps } from '../../src/projections/runner.js';
import type { DrivenClock } from './drivenClock.js';
import { run, type Running, type Stores } from './running.js';

/** A process that folds, as a test does with it what it likes. */
export interface Process {
  readonly running: Running;
  /** Whether it is neither killed, nor stopped, nor paused. */
  isAwake(): boolean;
  /** The names of the leases of what it folds. */
  owns(): readonly string[];
  /** Time passes whatever it is at: for one that never comes to rest. */
  disregard(): void;
  /** As SIGTERM. */
  stop(): Promise<void>;
  /** As SIGKILL: nothing that it calls reaches the store any more, and nothing is given up. */
  kill(): Promise<void>;
  /** As SIGSTOP: what it calls waits. */
  pause(): void;
  resume(): void;
}

export function startProcess(
  stores: Stores,
  projections: readonly AnyProjection[],
  clock: DrivenClock,
  given: Partial<RunnerDeps> = {},
): Process {
  let killed = false;
  let isAwake = true;
  const runtime = clock.runtime();
  const attend = (attended: boolean) => {
    isAwake = attended;
    runtime.attend(attended);
  };
  attend(true);
  let awake = Promise.resolve();
  let resume = () => {};
  const running = run(stores, projections, {
    ...given,
    store: reachedWhile(given.store ?? stores.store(), async () => {
      await awake;
      if (killed) throw new Error('killed');
    }),
    runtime,
  });
  return {
    running,
    owns: () => running.owned.at(-1) ?? [],
    isAwake: () => isAwake,
    disregard: () => runtime.attend(false),
    stop() {
      attend(false);
      return running.stop();
    },
    kill() {
      killed = true;
      attend(false);
      resume();
      return running.stop();
    },
    pause() {
      // Whoever waits since an earlier pause waits for the same end of it.
      if (!isAwake) return;
      attend(false);
      awake = new Promise((resolve) => {
        resume = resolve;
      });
    },
    resume() {
      if (!killed) attend(true);
      resume();
    },
  };
}

/** The store, each of whose calls waits for `may` first. */
function reachedWhile(store: ReadModelStore, may: () => Promise<void>): ReadModelStore {
  const gated =
    <Given extends unknown[], Result>(call: (...given: Given) => Promise<Result>) =>
    async (...given: Given): Promise<Result> => {
      await may();
      return call(...given);
    };
  return {
    ...store,
    leases: {
      acquire: gated(store.leases.acquire),
      release: gated(store.leases.release),
      held: gated(store.leases.held),
    },
    open: gated(store.open),
    load: gated(store.load),
    commit: gated(store.commit),
    activate: gated(store.activate),
    reset: gated(store.reset),
    parkedKeys: gated(store.parkedKeys),
  };
}
