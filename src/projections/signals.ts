import type { Position } from '../events/envelope.js';
import type { Shard } from './readModels.js';

/**
 * A small hint from one role to another. It may be lost or come late: whoever waits for one also
 * looks at the truth (the log's head, a checkpoint) at a slow beat.
 */
export type Signal =
  /** The log has grown to at least `position`. */
  | { readonly kind: 'log'; readonly position: Position }
  /** What queries see of these projections has reached `position`. */
  | {
      readonly kind: 'projected';
      readonly projections: readonly Projected[];
      readonly position: Position;
    };

/** How one shard of a projection's live generation moved on. */
export interface Projected {
  readonly name: string;
  readonly shard: Shard;
  /** Where it was before: a listener that knows another place has missed a signal. */
  readonly from: Position;
  /** The tags of the documents that were written since (see `Projection.tags`); 'all' when they are too many to name. */
  readonly tags: readonly string[] | 'all';
}

export interface Signals {
  publish(signal: Signal): void;
  /** Calls `listener` for every signal, this side's own included, until the returned function is called. */
  listen(listener: (signal: Signal) => void): () => void;
  stop(): Promise<void>;
}
