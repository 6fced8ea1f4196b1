import { later, START, type Position } from '../../events/envelope.js';
import type { ReadModels } from '../../projections/readModels.js';
import type { Projected, Signals } from '../../projections/signals.js';
import type { Runtime } from '../../runtime.js';

/** Documents of a projection were written; 'all' when it can't be told which. */
export interface Change {
  readonly projection: string;
  readonly position: Position;
  readonly tags: readonly string[] | 'all';
}

export interface CacheProgressDeps {
  readonly reads: Pick<ReadModels, 'checkpoint'>;
  readonly signals: Pick<Signals, 'listen'>;
  readonly runtime: Runtime;
  /** Called for every change of a projection that is followed, before `seen` moves. */
  readonly changed: (change: Change) => void;
  /** Called when a projection was built anew from another log: positions known of it mean nothing any more. */
  readonly begunAnew?: (projection: string) => void;
}

/** How far each projection's changes are known without a gap. */
export interface CacheProgress {
  /** Whether all of these are followed. */
  follows(projections: readonly string[]): boolean;
  /** Begins to follow. @throws StoreUnavailable */
  follow(projections: readonly string[]): Promise<void>;
  /** Every change of the projection up to here has been told to `changed`, or was there to be read when it was first followed. */
  seen(projection: string): Position;
  stop(): void;
}

/**
 * What the store says must have been signalled by the next look; if not, the signal is lost. So a lost
 * signal is noticed within two of these at the latest, in milliseconds.
 */
const LOOK_MS = 500;

/** A projection's course, as the signals and the looks at its checkpoint tell it. */
interface Course {
  /** All shards have come at least as far. */
  base: Position;
  /** How many shards the signals speak of; 0 before the first. */
  of: number;
  readonly shards: Map<number, Position>;
  /** What the last look found. */
  looked: Position;
}

/**
 * Follows the projections' signals, and finds out what they do not tell: a signal that begins where
 * none had ended, or a checkpoint that no signal has told of, means that one was lost; then
 * everything of the projection may have changed.
 */
export function cacheProgress({
  reads,
  signals,
  runtime,
  changed,
  begunAnew,
}: CacheProgressDeps): CacheProgress {
  const courses = new Map<string, Course>();
  let stopped = false;

  function hear({ name, shard, from, tags }: Projected, position: Position) {
    const course = courses.get(name);
    if (course === undefined) return;
    let known = reached(course, shard.index);
    let told = tags;
    if (course.of !== shard.of) {
      // Shared out anew: each shard goes on from where the last of the old ones was.
      if (course.of !== 0) told = 'all';
      course.base = seenOf(course);
      course.shards.clear();
      course.of = shard.of;
      known = course.base;
    }
    if (from > known) told = 'all';
    if (told === 'all' || told.length > 0) changed({ projection: name, position, tags: told });
    course.shards.set(shard.index, later(known, position));
  }

  async function look(name: string, course: Course) {
    const before = seenOf(course);
    const { looked } = course;
    const checkpoint = await reads.checkpoint(name);
    if (checkpoint < before) {
      changed({ projection: name, position: later(before, looked), tags: 'all' });
      course.shards.clear();
      course.base = checkpoint;
      begunAnew?.(name);
      course.of = 0;
    } else if (looked > seenOf(course)) {
      changed({ projection: name, position: looked, tags: 'all' });
      course.base = looked;
    }
    course.looked = checkpoint;
  }

  async function lookAtAll() {
    // A store that can't be asked is asked again at the next look.
    await Promise.allSettled([...courses].map(([name, course]) => look(name, course)));
    if (!stopped) timer = runtime.setTimer(LOOK_MS, () => void lookAtAll());
  }

  const leave = signals.listen((signal) => {
    if (signal.kind !== 'projected') return;
    for (const projected of signal.projections) hear(projected, signal.position);
  });
  let timer = runtime.setTimer(LOOK_MS, () => void lookAtAll());

  return {
    follows: (projections) => projections.every((name) => courses.has(name)),
    async follow(projections) {
      for (const name of projections) {
        if (courses.has(name)) continue;
        const base = await reads.checkpoint(name);
        // Another may have begun to follow it meanwhile.
        if (!courses.has(name)) {
          courses.set(name, { base, of: 0, shards: new Map(), looked: base });
        }
      }
    },
    seen(projection) {
      const course = courses.get(projection);
      return course === undefined ? START : seenOf(course);
    },
    stop() {
      stopped = true;
      timer.cancel();
      leave();
    },
  };
}

function reached(course: Course, shard: number): Position {
  return later(course.base, course.shards.get(shard) ?? START);
}

function seenOf(course: Course): Position {
  if (course.of === 1) return reached(course, 0);
  let least: Position | undefined;
  for (let shard = 0; shard < course.of; shard++) {
    const position = reached(course, shard);
    if (least === undefined || position < least) least = position;
  }
  return least ?? course.base;
}
