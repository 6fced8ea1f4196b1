import type { Collection, Db } from 'mongodb';
import { StoreUnavailable } from '../../events/eventStore.js';
import { GenerationDropped, type Generation } from '../../projections/readModels.js';
import { definitionOf, type Definition } from '../documents/definition.js';
import { isDuplicate } from './faults.js';

/** One generation of a projection. Only ever changed together with its projection's entry. */
export interface GenerationEntry {
  readonly number: number;
  readonly version: number;
  readonly collection: string;
  readonly indexes: readonly (readonly string[])[];
  /** The fields that hold lists in some document, noted before the first such document is written. */
  readonly lists: readonly string[];
  /** In how many shards it is folded. */
  readonly shards: number;
  /** Where a shard begins that has no checkpoint of its own yet. */
  readonly from: bigint;
  /** The shards that are ready to be seen, until all are. */
  readonly ready: readonly number[];
}

/**
 * All that is known of a projection, in one document, so that each change to it is one write: above
 * all the one that puts another generation before the queries' eyes.
 */
export interface ProjectionEntry {
  /** The projection's name. */
  readonly _id: string;
  /** Counts the changes, so that each is made to what was read. */
  readonly revision: number;
  /** The highest number that a generation ever had: none is used twice. */
  readonly made: number;
  readonly live: number;
  /** The name under which queries ask for the live generation. */
  readonly shown: string;
  /** Every collection that it ever filled. */
  readonly collections: readonly string[];
  readonly generations: readonly GenerationEntry[];
}

export type EntryContent = Omit<ProjectionEntry, '_id' | 'revision'>;

export interface Entries {
  get(projection: string): Promise<ProjectionEntry | undefined>;
  /** The projection whose live generation queries know by that name. */
  showing(collection: string): Promise<ProjectionEntry | undefined>;
  some(projections: readonly string[]): Promise<readonly ProjectionEntry[]>;
  all(): Promise<readonly ProjectionEntry[]>;
  /**
   * Changes an entry, or makes it, unless `next` gives back what it was given. `next` is asked again
   * when another changed the entry in between.
   */
  change(
    projection: string,
    next: (known: ProjectionEntry | undefined) => EntryContent | Promise<EntryContent>,
  ): Promise<ProjectionEntry>;
}

/** So many others would have to come between. */
const MOST_ATTEMPTS = 20;

export function projectionEntries(db: Db): Entries {
  const entries: Collection<ProjectionEntry> = db.collection('projections', {
    useBigInt64: true,
  });

  const get = async (projection: string) =>
    (await entries.findOne({ _id: projection })) ?? undefined;

  /** Whether nobody came between. */
  async function put(known: ProjectionEntry | undefined, next: ProjectionEntry): Promise<boolean> {
    const { _id, ...content } = next;
    if (known !== undefined) {
      const { matchedCount } = await entries.replaceOne({ _id, revision: known.revision }, content);
      return matchedCount === 1;
    }
    try {
      await entries.insertOne(next);
      return true;
    } catch (error) {
      if (isDuplicate(error)) return false;
      throw error;
    }
  }

  return {
    get,
    showing: async (collection) => (await entries.findOne({ shown: collection })) ?? undefined,
    some: async (projections) => entries.find({ _id: { $in: [...projections] } }).toArray(),
    all: async () => entries.find().toArray(),

    async change(projection, next) {
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        const known = await get(projection);
        const content = await next(known);
        if (content === known) return known;
        const revision = (known?.revision ?? 0) + 1;
        const changed = { ...content, _id: projection, revision };
        if (await put(known, changed)) return changed;
      }
      throw new StoreUnavailable('busy', `too many change the projection ${projection} at once`);
    },
  };
}

/** The same content with one generation changed. */
export function withGeneration<Content extends EntryContent>(
  content: Content,
  changed: GenerationEntry,
): Content {
  const generations = content.generations.map((each) =>
    each.number === changed.number ? changed : each,
  );
  return { ...content, generations };
}

/** @throws GenerationDropped when it is gone, or no longer shared out so */
export function generationIn(
  entry: ProjectionEntry | undefined,
  { projection, number, shard }: Pick<Generation, 'projection' | 'number' | 'shard'>,
): GenerationEntry {
  const found = entry?.generations.find((each) => each.number === number);
  if (found === undefined) {
    throw new GenerationDropped(`generation ${number} of ${projection} was dropped`);
  }
  if (found.shards === shard.of) return found;
  throw new GenerationDropped(
    `generation ${number} of ${projection} is folded in ${found.shards} shards now, not in ${shard.of}`,
  );
}

export function liveOf(entry: ProjectionEntry): GenerationEntry {
  const found = entry.generations.find(({ number }) => number === entry.live);
  if (found !== undefined) return found;
  throw new StoreUnavailable('damaged', `the entry of ${entry._id} lacks its live generation`);
}

export function definitionIn({ collection, indexes }: GenerationEntry): Definition {
  return definitionOf({ name: collection, indexes: indexes.map((fields) => ({ fields })) });
}

/** For what can't be: entries are changed, and never removed. */
export function entryGone(): never {
  throw new Error('the entry of a projection is gone');
}
