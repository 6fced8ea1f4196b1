import { toUSVString } from 'node:util';
import type { Collection } from 'mongodb';
import type { Lease, Leases } from '../../projections/leases.js';
import { afterPrefix } from '../documents/values.js';
import type { Mongo } from './connection.js';
import { isDuplicate } from './faults.js';

/** A lease that was given up stays, so that its token goes on growing. */
export interface LeaseEntry {
  /** The lease's name. */
  readonly _id: string;
  readonly holder: string | null;
  readonly token: number;
  /** When it runs out, in milliseconds since the epoch by the server's clock. */
  readonly until: number;
}

/**
 * The server's clock, which all holders share. As a number: then the whole decision is one
 * comparison, which any server makes alike.
 */
const SERVERS_NOW = { $toLong: '$$NOW' };

export function leaseEntries({ db }: Pick<Mongo, 'db'>): Collection<LeaseEntry> {
  return db.collection('leases');
}

/**
 * Leases in the read models' own database. A lease is taken or renewed in one write, in which the
 * server compares its clock with the lease's end: no two are given it, however the clocks of the
 * processes go. After a failover the new primary's clock counts.
 * @param clock in place of the server's, for a test that drives it; milliseconds since the epoch
 */
export function mongoLeases(mongo: Mongo, clock?: () => number): Leases {
  const entries = leaseEntries(mongo);
  const now = () => (clock === undefined ? SERVERS_NOW : { $literal: clock() });

  async function take(name: string, holder: string, ttlMs: number): Promise<LeaseEntry | null> {
    const isMine = { $eq: ['$holder', { $literal: holder }] };
    const isFree = { $lte: [{ $ifNull: ['$until', 0] }, now()] };
    const token = { $ifNull: ['$token', 0] };
    const taken = { $or: [isMine, isFree] };
    return entries.findOneAndUpdate(
      { _id: name },
      [
        // All fields are decided by what was there before: $set takes them from its input.
        {
          $set: {
            holder: { $cond: [taken, { $literal: holder }, '$holder'] },
            token: { $cond: [{ $and: [isFree, { $not: [isMine] }] }, { $add: [token, 1] }, token] },
            until: { $cond: [taken, { $add: [now(), ttlMs] }, '$until'] },
          },
        },
      ],
      { upsert: true, returnDocument: 'after' },
    );
  }

  return {
    async acquire(name, holder, ttlMs) {
      const [id, who] = [toUSVString(name), toUSVString(holder)];
      const entry = await take(id, who, ttlMs).catch((error: unknown) => {
        // Two have made the entry at once: now it is there.
        if (isDuplicate(error)) return take(id, who, ttlMs);
        throw error;
      });
      return entry?.holder === who ? { name, holder, token: entry.token } : undefined;
    },

    async release({ name, holder, token }) {
      await entries.updateOne(
        { _id: toUSVString(name), holder: toUSVString(holder), token },
        { $set: { holder: null, until: 0 } },
      );
    },

    async held(prefix) {
      const from = toUSVString(prefix);
      const end = afterPrefix(from);
      const found = await entries
        .find({
          _id: { $gte: from, ...(end !== undefined && { $lt: end }) },
          $expr: { $gt: ['$until', now()] },
        })
        .sort({ _id: 1 })
        .toArray();
      return found.flatMap(toLease);
    },
  };
}

function toLease({ _id: name, holder, token }: LeaseEntry): readonly Lease[] {
  return holder === null ? [] : [{ name, holder, token }];
}
