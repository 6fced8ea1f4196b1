import { toUSVString } from 'node:util';
import { START } from '../../events/envelope.js';
import { decodeCursor, encodeCursor } from '../../projections/cursor.js';
import type { Doc, Find, Page, ReadModels, Where } from '../../projections/readModels.js';
import { checkFind, testsOf } from '../documents/question.js';
import { scalarOf } from '../documents/values.js';
import { filterOf, orderOf } from './conditions.js';
import type { Mongo } from './connection.js';
import { documentsOf, fromStored, type StoredDocument } from './documents.js';
import { definitionIn, projectionEntries, type GenerationEntry } from './entries.js';
import { liveAnswers } from './liveAnswers.js';
import { parkedEvents } from './parkedEvents.js';
import { calls } from './calls.js';
import { shardEntries } from './shards.js';

/**
 * What queries see of the read models in MongoDB. A page comes of one query, and the documents of
 * one answer are of about one moment: a write may fall between two of them.
 * @param mongo closed by whoever opened it, once this is stopped
 */
export function mongoReadModels(mongo: Mongo): ReadModels {
  const { db } = mongo;
  const entries = projectionEntries(db);
  const shards = shardEntries(db);
  const parked = parkedEvents(db);
  const shown = liveAnswers((collection) => entries.showing(collection));
  const projections = liveAnswers((projection) => entries.get(projection));
  const call = calls(mongo, 'the read models are stopped');

  async function one(generation: GenerationEntry, key: string): Promise<Doc | undefined> {
    const found = await documentsOf(db, generation).findOne(
      { _id: toUSVString(key) },
      { projection: { _id: 0, doc: 1 } },
    );
    return found === null ? undefined : fromStored(found);
  }

  async function many(
    generation: GenerationEntry,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, Doc>> {
    const found = await documentsOf(db, generation)
      .find(
        { _id: { $in: [...new Set(keys.map((key) => toUSVString(key)))] } },
        { projection: { doc: 1 }, batchSize: keys.length + 1 },
      )
      .toArray();
    const byId = new Map(found.map((stored) => [stored._id, fromStored(stored)]));
    const documents = new Map<string, Doc>();
    for (const key of keys) {
      const doc = byId.get(toUSVString(key));
      if (doc !== undefined) documents.set(key, doc);
    }
    return documents;
  }

  async function page(generation: GenerationEntry, find: Find): Promise<Page> {
    const { name } = definitionIn(generation);
    const found = await pageQuery(generation, find).toArray();
    const rows = found.slice(0, find.limit);
    const last = found.length > find.limit ? rows.at(-1) : undefined;
    const items = rows.map(fromStored).filter((doc) => doc !== undefined);
    if (last === undefined) return { items, nextCursor: null };
    const value = find.sort === undefined ? null : scalarOf(last.by?.[find.sort.field]);
    return { items, nextCursor: encodeCursor(name, find, { value, key: last._id }) };
  }

  /** One document more than the limit tells whether there is another page. */
  function pageQuery(generation: GenerationEntry, find: Find) {
    const definition = definitionIn(generation);
    checkFind(definition, find);
    const tests = testsOf(definition, find.where);
    const after = decodeCursor(definition.name, find);
    return documentsOf(db, generation)
      .find<StoredDocument>(filterOf(generation.lists, tests, find.sort, after), {
        projection: { doc: 1, ...(find.sort && { [`by.${find.sort.field}`]: 1 }) },
        batchSize: find.limit + 2,
      })
      .sort(orderOf(find.sort))
      .skip(find.skip ?? 0)
      .limit(find.limit + 1);
  }

  async function counted(generation: GenerationEntry, where: Where): Promise<number> {
    const definition = definitionIn(generation);
    const filter = filterOf(generation.lists, testsOf(definition, where));
    return documentsOf(db, generation).countDocuments(filter);
  }

  return {
    get: <D extends Doc>(collection: string, key: string) =>
      call(async () => {
        const question = (generation: GenerationEntry) => one(generation, key);
        const doc = await shown.ask(collection, question, (found) => found === undefined);
        return doc as D | undefined;
      }),

    getMany: <D extends Doc>(collection: string, keys: readonly string[]) =>
      call(async () => {
        const question = (generation: GenerationEntry) => many(generation, keys);
        const found = await shown.ask(collection, question, ({ size }) => size === 0);
        return (found ?? new Map()) as ReadonlyMap<string, D>;
      }),

    find: <D extends Doc>(collection: string, find: Find) =>
      call(async () => {
        const question = (generation: GenerationEntry) => page(generation, find);
        const found = await shown.ask(collection, question, ({ items }) => items.length === 0);
        return (found ?? { items: [], nextCursor: null }) as Page<D>;
      }),

    count: (collection, where) =>
      call(async () => {
        const question = (generation: GenerationEntry) => counted(generation, where);
        return (await shown.ask(collection, question, (count) => count === 0)) ?? 0;
      }),

    checkpoint: (projection) =>
      call(async () => {
        const question = (generation: GenerationEntry) => shards.least(projection, generation);
        return (await projections.ask(projection, question, (least) => least === START)) ?? START;
      }),

    parkedCount: (projection) =>
      call(async () => {
        const question = ({ number }: GenerationEntry) => parked.count(projection, number);
        return (await projections.ask(projection, question, (count) => count === 0)) ?? 0;
      }),

    async stop() {
      call.stop();
    },
  };
}
