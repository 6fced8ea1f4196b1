import type { Position } from '../../events/envelope.js';
import type { Projected } from '../../projections/signals.js';
import type { Tags } from '../../queries/cache.js';

/**
 * A second layer of the cache that several processes share, asked when a process has no answer of its
 * own. It never fails: away, it finds nothing and keeps nothing.
 */
export interface SharedLayer {
  find(key: string, reads: readonly string[]): Promise<Found>;
  /**
   * Keeps an answer that was loaded after `found`, unless it may be older than what is kept or known
   * by then. Whether it is kept, or there is none to keep, what was kept before is gone: it may be
   * older than what was answered.
   */
  keep(key: string, answer: Keep | undefined, found: Found): void;
  /** Takes down what has changed; told by every process that hears of it. */
  record(projections: readonly Projected[], position: Position): void;
  /** A projection has begun anew: positions that were known of it mean nothing any more. */
  forget(projection: string): void;
  stop(): Promise<void>;
}

export interface Found {
  /** What is kept, and true as far as the shared layer knows. */
  readonly answer?: {
    readonly value: object;
    /** By projection: how far it is known to be true. */
    readonly asOf: ReadonlyMap<string, Position>;
    /** How long it may be kept from now on, in milliseconds. */
    readonly ttlMs: number;
  };
  /** How things stood when it was looked for, for the layer itself; absent when it could not be asked. */
  readonly stamp?: string;
}

export interface Keep {
  /** The answer as JSON. */
  readonly text: string;
  readonly asOf: ReadonlyMap<string, Position>;
  readonly tags: Tags;
  readonly ttlMs: number;
}
