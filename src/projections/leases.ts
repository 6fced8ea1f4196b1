/**
 * The right to do something alone among all processes, until it runs out. Whoever held it before may
 * not know yet that it has lost it, so what is done under a lease carries its token, and the store
 * refuses what carries an older one (a fencing token: Kleppmann, "How to do distributed locking").
 */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  /** Grows each time that the lease changes hands; a renewal keeps it. */
  readonly token: number;
}

/** Leases live where what they protect is written. Time is the store's own where it has a clock. */
export interface Leases {
  /**
   * Takes a lease that is free or has run out, or renews the holder's own. A store may take it from a
   * holder that it knows to have ended, before it has run out.
   * @param holder an id of one run of one process, never used again
   * @param ttlMs how long it holds from now, in milliseconds
   * @returns undefined while another holds it
   * @throws StoreUnavailable
   */
  acquire(name: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  /** Gives it up early; does nothing when it is another's by now. */
  release(lease: Lease): Promise<void>;
  /** Those that have not run out, whose name begins with `prefix`, in order of name. */
  held(prefix: string): Promise<readonly Lease[]>;
}

/** The lease under which something was to be written has passed to another. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}
