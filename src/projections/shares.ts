import { LEASE_MS } from './beat.js';
import type { Lease, Leases } from './leases.js';
import type { AnyProjection } from './projection.js';
import type { Shard } from './readModels.js';

/** A part of the work that one process does alone: one shard of one projection. */
export interface Share {
  readonly projection: AnyProjection;
  readonly shard: Shard;
}

/** A share for as long as it stays with this process without a break. */
export interface Tenure extends Share {
  readonly lease: Lease;
}

/** What this process does of the work that all processes share. */
export interface Shares {
  /**
   * Renews what it has, and takes of what is free up to its fair part. To be called every BEAT_MS.
   * @throws StoreUnavailable
   */
  beat(): Promise<{
    readonly held: readonly Tenure[];
    /** More than its part, since another process has come: to be put down, then given up. */
    readonly surplus: readonly Tenure[];
    /** What others fold in another number of shards: it takes no part in the work until they have ended. */
    readonly others: readonly Lease[];
  }>;
  /** Lets another have it at once. @throws StoreUnavailable */
  giveUp(tenure: Tenure): Promise<void>;
  /** Gives up everything, as one that ends does. @throws StoreUnavailable */
  leave(): Promise<void>;
}

const FOLD = 'fold:';

/** All shards of all projections, in an order in which a process's part is a bit of each. */
export function sharesOf(projections: readonly AnyProjection[], shards: number): readonly Share[] {
  return Array.from({ length: shards }, (_, index) =>
    projections.map((projection) => ({ projection, shard: { index, of: shards } })),
  ).flat();
}

/**
 * @param holder an id of this run of this process, never used again
 * @param all the shares that there are. Those who know others, because their number of shards is
 *   another, would take a generation from each other for ever: of two that have begun at once one puts
 *   down what it has.
 */
export function shares(leases: Leases, holder: string, all: readonly Share[]): Shares {
  const of = all[0]?.shard.of ?? 0;
  /** Each process that takes part holds a lease of this name and its own: so they are counted. */
  const MEMBER = `member of ${of}:`;
  const held = new Map<string, Tenure>();
  let member: Lease | undefined;
  const acquire = (name: string) => leases.acquire(name, holder, LEASE_MS);

  // All at once: one after the other, renewals on a slow store would take longer than leases hold.
  async function renew(): Promise<void> {
    const tenures = [...held];
    const [own, ...leases] = await Promise.all(
      [MEMBER + holder, ...tenures.map(([name]) => name)].map(acquire),
    );
    member = own;
    tenures.forEach(([name, tenure], index) => {
      const lease = leases[index];
      if (lease?.token === tenure.lease.token) return;
      held.delete(name);
      // Won back already; but what it remembers is from before another had it, so it begins anew.
      if (lease !== undefined) held.set(name, { ...tenure, lease });
    });
  }

  async function take(due: number): Promise<void> {
    const free = all.filter((share) => !held.has(leaseOf(share)));
    while (held.size < due && free.length > 0) {
      const wanted = free.splice(0, due - held.size);
      const leases = await Promise.all(wanted.map((share) => acquire(leaseOf(share))));
      wanted.forEach((share, index) => {
        const lease = leases[index];
        if (lease !== undefined) held.set(lease.name, { ...share, lease });
      });
    }
  }

  async function giveUp({ lease }: Tenure): Promise<void> {
    held.delete(lease.name);
    await leases.release(lease);
  }

  return {
    async beat() {
      await renew();
      const [members, folded] = await Promise.all([leases.held(MEMBER), leases.held(FOLD)]);
      const others = folded.filter(
        (lease) => lease.holder !== holder && !lease.name.endsWith(`/${of}`),
      );
      if (others.some((lease) => held.size === 0 || lease.holder < holder)) {
        return { held: [], surplus: [...held.values()], others };
      }
      const due = Math.ceil(all.length / Math.max(1, members.length));
      await take(due);
      const tenures = [...held.values()];
      return { held: tenures.slice(0, due), surplus: tenures.slice(due), others: [] };
    },
    giveUp,
    async leave() {
      for (const tenure of [...held.values()]) await giveUp(tenure);
      if (member !== undefined) await leases.release(member);
      member = undefined;
    },
  };
}

function leaseOf({ projection, shard }: Share): string {
  return `${FOLD}${projection.name} ${shard.index}/${shard.of}`;
}
