import { later, START, type Position } from '../events/envelope.js';
import type { ReadModels } from '../projections/readModels.js';
import type { ProjectionName } from '../projections/registry.js';
import type { Signals } from '../projections/signals.js';
import type { Runtime } from '../runtime.js';

export type { ProjectionName };

/** How long a read waits for the projections that it reads from: after that it is better told to come back. */
export const PATIENCE_MS = 2_000;

/** A signal may be lost: this often a wait looks at the checkpoints themselves. */
const LOOK_MS = 100;

/** Makes reads wait for what their reader knows to have been written. */
export interface Consistency {
  /** Whether all of the projections have come as far as `position` within PATIENCE_MS. */
  reached(projections: readonly ProjectionName[], position: Position): Promise<boolean>;
  stop(): void;
}

export interface ConsistencyDeps {
  readonly reads: ReadModels;
  readonly signals: Signals;
  readonly runtime: Runtime;
}

export function consistency({ reads, signals, runtime }: ConsistencyDeps): Consistency {
  const checkpoints = new Map<string, Position>();
  const waiting = new Set<() => void>();

  const known = (projection: string) => checkpoints.get(projection) ?? START;
  const learn = (projection: string, position: Position) => {
    checkpoints.set(projection, later(known(projection), position));
  };

  const stop = signals.listen((signal) => {
    if (signal.kind !== 'projected') return;
    for (const projection of signal.projections) learn(projection, signal.position);
    for (const look of waiting) look();
  });

  async function wait(projections: readonly string[], position: Position): Promise<boolean> {
    const deadline = runtime.monotonic() + PATIENCE_MS;
    while (runtime.monotonic() < deadline) {
      await news(projections, position);
      for (const projection of projections) {
        if (known(projection) < position) learn(projection, await reads.checkpoint(projection));
      }
      if (projections.every((projection) => known(projection) >= position)) return true;
    }
    return false;
  }

  /** Resolves when the signals say that all are there, or when it is time to look. */
  function news(projections: readonly string[], position: Position): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        waiting.delete(look);
        resolve();
      };
      const look = () => {
        if (projections.every((projection) => known(projection) >= position)) done();
      };
      const timer = runtime.setTimer(LOOK_MS, done);
      waiting.add(look);
      look();
    });
  }

  return {
    async reached(projections, position) {
      if (projections.every((projection) => known(projection) >= position)) return true;
      return wait(projections, position);
    },
    stop,
  };
}
