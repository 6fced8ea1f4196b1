import { later, START, type Position } from '../events/envelope.js';
import type { ReadModels, Shard } from '../projections/readModels.js';
import type { ProjectionName } from '../projections/registry.js';
import type { Signals } from '../projections/signals.js';
import type { Runtime } from '../runtime.js';

export type { ProjectionName };

/** How long a read waits for the projections that it reads from: after that it is better told to come back. */
export const PATIENCE_MS = 2_000;

/** A signal may be lost: this often a wait looks at the checkpoints themselves. */
const LOOK_MS = 25;

/** Makes reads wait for what their reader knows to have been written. */
export interface Consistency {
  /** Whether all of the projections have come as far as `position` within PATIENCE_MS. */
  reached(projections: readonly ProjectionName[], position: Position): Promise<boolean>;
  stop(): void;
}

export interface ConsistencyDeps {
  /** The log's last position: for what lies beyond it nobody waits. */
  readonly head: () => Promise<Position>;
  readonly reads: Pick<ReadModels, 'checkpoint'>;
  readonly signals: Signals;
  readonly runtime: Runtime;
}

export function consistency({ head, reads, signals, runtime }: ConsistencyDeps): Consistency {
  const courses = new Map<string, Course>();
  const waiting = new Set<() => void>();

  const known = (projection: string) => courses.get(projection)?.reached ?? START;
  const courseOf = (projection: string) => {
    let course = courses.get(projection);
    if (course === undefined)
      courses.set(projection, (course = { reached: START, lookAgain: 0, shards: [] }));
    return course;
  };

  const stop = signals.listen((signal) => {
    if (signal.kind !== 'projected') return;
    for (const { name, shard } of signal.projections) learn(courseOf(name), shard, signal.position);
    for (const look of waiting) look();
  });

  /** Looks at a checkpoint, but not again so soon: of thousands who wait, one looks for all. */
  async function look(projection: string): Promise<void> {
    const course = courseOf(projection);
    const now = runtime.monotonic();
    if (now < course.lookAgain) return;
    course.lookAgain = now + LOOK_MS;
    course.reached = later(course.reached, await reads.checkpoint(projection));
    for (const told of waiting) told();
  }

  async function wait(projections: readonly string[], position: Position): Promise<boolean> {
    if ((await head()) < position) return false;
    const deadline = runtime.monotonic() + PATIENCE_MS;
    while (runtime.monotonic() < deadline) {
      await news(projections, position);
      for (const projection of projections) {
        if (known(projection) < position) await look(projection);
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

/** How far a projection is known to have come. */
interface Course {
  /** All of its shards are at least there. */
  reached: Position;
  /** When its checkpoint may be looked at again, by `Runtime.monotonic`. */
  lookAgain: number;
  /** What each shard has told since they are so many; a hole for one that has told nothing. */
  shards: (Position | undefined)[];
}

/** A projection is where the last of its shards is. */
function learn(course: Course, { index, of }: Shard, position: Position): void {
  if (course.shards.length !== of) course.shards = new Array<undefined>(of).fill(undefined);
  course.shards[index] = later(course.shards[index] ?? START, position);
  let least = position;
  for (const told of course.shards) {
    if (told === undefined) return;
    if (told < least) least = told;
  }
  course.reached = later(course.reached, least);
}
