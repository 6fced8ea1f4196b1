import type { ClientSession, Collection, Db } from 'mongodb';
import type { Position } from '../../events/envelope.js';
import type { Parked, ProjectionBatch } from '../../projections/readModels.js';
import { compareText } from '../documents/values.js';
import type { GenerationEntry } from './entries.js';
import { duplicatesOf } from './faults.js';

interface ParkedEntry extends Omit<Parked, 'position'> {
  readonly _id: string;
  readonly number: number;
  readonly position: bigint;
}

export interface ParkedEvents {
  /** An event that is parked already stays as it is: batches come again. */
  park(batches: readonly ProjectionBatch[], session?: ClientSession): Promise<void>;
  /** Of those up to a position. */
  keys(projection: string, number: number, upTo: bigint): Promise<ReadonlySet<string>>;
  list(projection: string, number: number): Promise<readonly Parked[]>;
  count(projection: string, number: number): Promise<number>;
  /** Forgets those of all other generations. */
  keep(projection: string, generations: readonly GenerationEntry[]): Promise<void>;
}

export function parkedEvents(db: Db): ParkedEvents {
  const entries: Collection<ParkedEntry> = db.collection('parked', { useBigInt64: true });

  return {
    async park(batches, session) {
      const parked = batches.flatMap(({ generation: { projection, number }, parked }) =>
        parked.map((event) => ({ ...event, projection, number })),
      );
      if (parked.length === 0) return;
      const upserts = parked.map((event) => ({
        updateOne: {
          filter: { _id: idOf(event) },
          update: { $setOnInsert: event },
          upsert: true,
        },
      }));
      try {
        await entries.bulkWrite(upserts, { ordered: false, ...(session && { session }) });
      } catch (error) {
        // In a transaction whoever met another's has to begin again.
        if (session !== undefined) throw error;
        duplicatesOf(error);
      }
    },

    async keys(projection, number, upTo) {
      const found = await entries
        .find({ projection, number, position: { $lte: upTo } }, { projection: { key: 1 } })
        .toArray();
      return new Set(found.map(({ key }) => key));
    },

    async list(projection, number) {
      const found = await entries.find({ projection, number }).toArray();
      return found
        .sort((a, b) => Number(a.position - b.position) || compareText(a.key, b.key))
        .map(toParked);
    },

    count: (projection, number) => entries.countDocuments({ projection, number }),

    async keep(projection, generations) {
      const numbers = generations.map(({ number }) => number);
      await entries.deleteMany({ projection, number: { $nin: numbers } });
    },
  };
}

/** A key may hold anything, so it comes last. */
function idOf(event: Omit<ParkedEntry, '_id'>): string {
  return `${event.projection}/${event.number}/${event.position}/${event.key}`;
}

function toParked(entry: ParkedEntry): Parked {
  const { projection, key, eventId, eventType, error, parkedAt } = entry;
  const position = entry.position as Position;
  return { projection, key, position, eventId, eventType, error, parkedAt };
}
