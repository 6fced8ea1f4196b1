import type { ClientSession, Collection, Db } from 'mongodb';
import { later, type Position } from '../../events/envelope.js';
import type { Lease } from '../../projections/leases.js';
import type { Generation, ProjectionBatch } from '../../projections/readModels.js';
import type { GenerationEntry } from './entries.js';
import { isDuplicate } from './faults.js';

type Id = Pick<Generation, 'projection' | 'number' | 'shard'>;

/** How far one shard of a generation has come. */
interface ShardEntry {
  readonly _id: string;
  readonly projection: string;
  readonly number: number;
  readonly of: number;
  readonly checkpoint: bigint;
  /** The lease under which it was moved last: an older token moves it no more. */
  readonly fence?: Pick<Lease, 'name' | 'token'>;
}

export interface Shards {
  /** The shard's checkpoint; where it has none yet, it begins at `from`. */
  join(id: Id, from: bigint): Promise<Position>;
  /** The checkpoint of each of these shards of generations. */
  checkpoints(ids: readonly Id[]): Promise<ReadonlyMap<string, bigint>>;
  /** How far one shard has come. */
  at(id: Id, generation: GenerationEntry): Promise<bigint>;
  /** How far all shards of a generation have come. */
  least(projection: string, generation: GenerationEntry): Promise<Position>;
  /**
   * Moves the checkpoints of all batches.
   * @returns false when one of them was not to be moved: the shard is ahead, gone, or fenced
   */
  move(batches: readonly ProjectionBatch[], session?: ClientSession): Promise<boolean>;
  /** Forgets the shards of all other generations, and those of another number of shards. */
  keep(projection: string, generations: readonly GenerationEntry[]): Promise<void>;
}

export function shardId({ projection, number, shard }: Id): string {
  return `${projection}/${number}/${shard.index} of ${shard.of}`;
}

export function shardEntries(db: Db): Shards {
  const entries: Collection<ShardEntry> = db.collection('shards', { useBigInt64: true });

  async function joined(id: Id, from: bigint): Promise<ShardEntry | null> {
    const { projection, number, shard } = id;
    const made = { projection, number, of: shard.of, checkpoint: from };
    return entries.findOneAndUpdate(
      { _id: shardId(id) },
      { $setOnInsert: made },
      { upsert: true, returnDocument: 'after' },
    );
  }

  return {
    async join(id, from) {
      try {
        return ((await joined(id, from))?.checkpoint ?? from) as Position;
      } catch (error) {
        // Another has joined at this very moment, and is found now.
        if (!isDuplicate(error)) throw error;
        return ((await joined(id, from))?.checkpoint ?? from) as Position;
      }
    },

    async checkpoints(ids) {
      const found = await entries.find({ _id: { $in: ids.map(shardId) } }).toArray();
      return new Map(found.map(({ _id, checkpoint }) => [_id, checkpoint]));
    },

    async at(id, { from }) {
      return (await entries.findOne({ _id: shardId(id) }))?.checkpoint ?? from;
    },

    async least(projection, { number, shards, from }) {
      const found = await entries.find({ projection, number, of: shards }).toArray();
      const checkpoints = found.map(({ checkpoint }) => checkpoint);
      if (found.length < shards) checkpoints.push(from);
      return checkpoints.reduce((least, each) => (each < least ? each : least)) as Position;
    },

    async move(batches, session) {
      const moves = [...furthest(batches)].map(([_id, { checkpoint, lease }]) => ({
        updateOne: {
          filter: { _id, checkpoint: { $lte: checkpoint }, ...(lease && unfenced(lease)) },
          update: { $set: { checkpoint, ...(lease && { fence: fenceOf(lease) }) } },
        },
      }));
      if (moves.length === 0) return true;
      const options = { ordered: false, ...(session && { session }) };
      const { matchedCount } = await entries.bulkWrite(moves, options);
      return matchedCount === moves.length;
    },

    async keep(projection, generations) {
      const kept = generations.map(({ number, shards }) => ({ number, of: shards }));
      await entries.deleteMany({ projection, $nor: kept });
    },
  };
}

/** Batches of one commit to one shard move it once. */
function furthest(batches: readonly ProjectionBatch[]) {
  const moves = new Map<string, { readonly checkpoint: Position; readonly lease?: Lease }>();
  for (const { generation, checkpoint, lease } of batches) {
    const id = shardId(generation);
    const known = moves.get(id)?.checkpoint;
    const furthest = known === undefined ? checkpoint : later(known, checkpoint);
    moves.set(id, { checkpoint: furthest, ...(lease && { lease }) });
  }
  return moves;
}

function fenceOf({ name, token }: Lease): Pick<Lease, 'name' | 'token'> {
  return { name, token };
}

/** Tokens of two leases say nothing of each other. */
function unfenced({ name, token }: Lease) {
  return { $or: [{ 'fence.name': { $ne: name } }, { 'fence.token': { $lte: token } }] };
}
