import type { Position } from '../events/envelope.js';

/** The tags of what an answer shows (see `Projection.tags`), by the projection whose tags they are. */
export type Tags = Readonly<Record<string, readonly string[]>>;

/** A question whose answer may be kept. */
export interface Question<Answer extends object> {
  /** Names the question with everything that its answer depends on beside the projections: the hour of day, too. */
  readonly key: string;
  /** The projections that it is answered from. */
  readonly reads: readonly string[];
  /** How long an answer may be kept at most, in milliseconds, though nothing should have changed. */
  readonly ttlMs: number;
  /** When one of these is written, the answer is no longer true. */
  readonly tags: (answer: Answer) => Tags;
  /** Asks the read models. What is undefined is not kept. */
  readonly load: () => Promise<Answer | undefined>;
}

export interface Cached<Answer> {
  readonly value: Answer;
  /** A hit was answered from what was kept, without asking the question again. */
  readonly cached: 'hit' | 'miss';
}

/**
 * Answers that were given before, as long as they are true. A cache may make an answer fast, never
 * stale: an answer is never older than one that this process gave to the same question before it was
 * asked again, and never older than `needs`. How that is kept: docs/adr/0010-cache.md.
 */
export interface Cache {
  /**
   * Answers from what is kept, or loads; those who ask the same at one time load once. An answer is
   * shared: nobody may change it.
   * @param needs what the answer must show at least. The read models must be there already (see
   *   `Consistency`): a load is taken to show it.
   * @throws whatever `load` throws; the cache itself never fails an answer
   */
  answer<Answer extends object>(
    question: Question<Answer>,
    needs: Position,
  ): Promise<Cached<Answer | undefined>>;
  stop(): Promise<void>;
}

/** Keeps nothing. */
export const noCache: Cache = {
  async answer({ load }) {
    return { value: await load(), cached: 'miss' };
  },
  async stop() {
    // Nothing was started.
  },
};
