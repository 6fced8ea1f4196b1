import type { Lease, Leases } from '../../projections/leases.js';
import { compareText } from '../documents/values.js';

interface Held {
  readonly lease: Lease;
  /** Milliseconds since the epoch; given up or never held: 0. */
  readonly until: number;
}

export interface MemoryLeases extends Leases {
  /** Whether nobody else has held it since. */
  isCurrent(lease: Lease): boolean;
}

/** @param now milliseconds since the epoch */
export function memoryLeases(now: () => number): MemoryLeases {
  const known = new Map<string, Held>();

  function isCurrent({ name, holder, token }: Lease): boolean {
    const lease = known.get(name)?.lease;
    return lease?.holder === holder && lease.token === token;
  }

  return {
    isCurrent,

    async acquire(name, holder, ttlMs) {
      const last = known.get(name);
      const own = last?.lease.holder === holder;
      if (last !== undefined && !own && last.until > now()) return undefined;
      const token = (last?.lease.token ?? 0) + (own ? 0 : 1);
      const lease = { name, holder, token };
      known.set(name, { lease, until: now() + ttlMs });
      return lease;
    },

    async release(lease) {
      // The token stays: the next holder's has to be greater.
      if (isCurrent(lease)) known.set(lease.name, { lease, until: 0 });
    },

    async held(prefix) {
      return [...known.values()]
        .filter(({ lease, until }) => lease.name.startsWith(prefix) && until > now())
        .map(({ lease }) => lease)
        .sort((a, b) => compareText(a.name, b.name));
    },
  };
}
