import type { Db } from 'mongodb';
import { START } from '../../events/envelope.js';
import {
  WHOLE,
  type Collection,
  type Generation,
  type Shard,
} from '../../projections/readModels.js';
import { definitionOf, sameFields, type Definition } from '../documents/definition.js';
import { documentsOf, makeIndexes } from './documents.js';
import {
  definitionIn,
  entryGone,
  generationIn,
  liveOf,
  withGeneration,
  type Entries,
  type EntryContent,
  type GenerationEntry,
  type ProjectionEntry,
} from './entries.js';
import type { ParkedEvents } from './parkedEvents.js';
import type { Shards } from './shards.js';

export interface Generations {
  /** As the port's `open`. */
  open(
    projection: string,
    version: number,
    collection: Collection,
    shard?: Shard,
  ): Promise<Generation>;
  /** As the port's `activate`. */
  activate(generation: Generation): Promise<boolean>;
  /** As the port's `reset`. */
  reset(): Promise<void>;
}

/**
 * The bookkeeping of generations. A change is first written to the projection's entry, in one write,
 * and what follows from it is done afterwards: indexes are made, and what no entry names any more is
 * swept. A crash in between leaves that to whoever opens the projection next.
 */
export function generations(
  db: Db,
  entries: Entries,
  shards: Shards,
  parked: ParkedEvents,
): Generations {
  async function refuseImpostor(projection: string, definition: Definition): Promise<void> {
    const name = definition.name.toLowerCase();
    const fills = ({ collection }: GenerationEntry) => collection.toLowerCase() === name;
    const others = (await entries.all()).filter(({ _id }) => _id !== projection);
    const owner = others.find((other) => other.generations.some(fills));
    if (owner !== undefined) throw new Error(`${owner._id} fills ${definition.name} already`);
  }

  /** What the entry has to say before a shard of `version` can be opened. */
  async function prepared(
    projection: string,
    known: ProjectionEntry | undefined,
    wanted: Wanted,
  ): Promise<EntryContent> {
    const found = known && fitting(known, wanted);
    if (known === undefined || found === undefined) return begun(known, wanted);
    const indexes = wanted.definition.indexes;
    const isShared = found.shards === wanted.shards;
    if (isShared && JSON.stringify(indexes) === JSON.stringify(found.indexes)) return known;
    // Shared out anew, every shard begins where all of the old ones have been.
    const from = isShared ? found.from : await shards.least(projection, found);
    const ready = isShared ? found.ready : [];
    const changed = { ...found, indexes, shards: wanted.shards, from, ready };
    return withGeneration(known, changed);
  }

  /** Drops what no entry names any more. Numbers are never used again, so it is nobody's. */
  async function sweep(entry: ProjectionEntry): Promise<void> {
    const { _id: projection, collections, made, generations } = entry;
    await shards.keep(projection, generations);
    await parked.keep(projection, generations);
    const there = await db.listCollections({}, { nameOnly: true }).toArray();
    for (const { name } of there) {
      const [, collection = '', digits = ''] = /^(.+)_g(\d+)$/.exec(name) ?? [];
      const number = Number(digits);
      const isKept = generations.some((each) => each.number === number);
      if (collections.includes(collection) && number <= made && !isKept) {
        await db.dropCollection(name);
      }
    }
  }

  return {
    async open(projection, version, collection, shard = WHOLE) {
      const definition = definitionOf(collection);
      const wanted = { version, definition, shards: shard.of };
      await refuseImpostor(projection, definition);
      const entry = await entries.change(projection, (known) =>
        prepared(projection, known, wanted),
      );
      const found = fitting(entry, wanted) ?? liveOf(entry);
      await makeIndexes(documentsOf(db, found), definition);
      await sweep(entry);
      const { number } = found;
      const live = number === entry.live;
      const checkpoint = await shards.join({ projection, number, shard }, found.from);
      return { projection, version, number, shard, live, checkpoint };
    },

    async activate(generation) {
      const { projection, number, shard } = generation;
      const entry = await entries.change(projection, (known) => {
        const found = generationIn(known, generation);
        if (known === undefined || known.live === number) return known ?? entryGone();
        const ready = [...new Set([...found.ready, shard.index])];
        const changed = { ...found, ready };
        if (ready.length >= found.shards) return shownAlone(known, changed);
        return withGeneration(known, changed);
      });
      await sweep(entry);
      return entry.live === number;
    },

    async reset() {
      for (const { _id: projection } of await entries.all()) {
        const entry = await entries.change(projection, (known) => {
          if (known === undefined) return entryGone();
          const { version, shards } = liveOf(known);
          const wanted = { version, definition: definitionIn(liveOf(known)), shards };
          const next = begun(known, wanted);
          const made = next.generations.at(-1);
          return made === undefined ? next : shownAlone(next, made);
        });
        await sweep(entry);
      }
    },
  };
}

interface Wanted {
  readonly version: number;
  readonly definition: Definition;
  readonly shards: number;
}

/** The live one before others, and of those the newest. */
function fitting(entry: ProjectionEntry, wanted: Wanted): GenerationEntry | undefined {
  const all = entry.generations.filter(
    (each) => each.version === wanted.version && sameFields(definitionIn(each), wanted.definition),
  );
  return all.find(({ number }) => number === entry.live) ?? all.at(-1);
}

/** With an empty generation beside those that there are; the first one is live. */
function begun(
  known: ProjectionEntry | undefined,
  { version, definition, shards }: Wanted,
): EntryContent {
  const number = (known?.made ?? 0) + 1;
  const { name: collection, indexes } = definition;
  const rest = { lists: [], shards, from: START, ready: [] };
  const made = { number, version, collection, indexes, ...rest };
  return {
    made: number,
    live: known?.live ?? number,
    shown: known?.shown ?? collection,
    collections: [...new Set([...(known?.collections ?? []), collection])],
    generations: [...(known?.generations ?? []), made],
  };
}

/** With one generation, which queries see. */
function shownAlone(content: EntryContent, chosen: GenerationEntry): EntryContent {
  const { number: live, collection: shown } = chosen;
  return { ...content, live, shown, generations: [chosen] };
}
