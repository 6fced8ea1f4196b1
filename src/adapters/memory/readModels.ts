import { START } from '../../events/envelope.js';
import { decodeCursor, encodeCursor } from '../../projections/cursor.js';
import type {
  Doc,
  Find,
  Page,
  ReadModels,
  ReadModelStore,
  Stored,
} from '../../projections/readModels.js';
import { checkFind, testsOf } from '../documents/question.js';
import { compareText, compareValues, scalarOf } from '../documents/values.js';
import { present, stoppable, type MemoryGeneration } from './generation.js';
import { memoryLeases } from './leases.js';
import { matches } from './matching.js';
import { memoryReadModelStore } from './readModelStore.js';

/**
 * Read models that end with the process, both sides of them: for tests, and as the plainest statement of the port.
 * @param now by which leases run out, in milliseconds since the epoch
 */
export function memoryReadModels(now = Date.now): { store: ReadModelStore; reads: ReadModels } {
  const generations: MemoryGeneration[] = [];
  const store = memoryReadModelStore(generations, memoryLeases(now));
  return { store, reads: readSide(generations) };
}

function readSide(generations: readonly MemoryGeneration[]): ReadModels {
  const live = (collection: string) =>
    generations.find((each) => each.live && each.definition.name === collection);
  const shown = (projection: string) =>
    generations.find((each) => each.live && each.projection === projection);
  const check = stoppable('the read models are stopped');

  return {
    async get<D extends Doc>(collection: string, key: string) {
      check();
      return live(collection)?.get(key)?.doc as D | undefined;
    },

    async getMany<D extends Doc>(collection: string, keys: readonly string[]) {
      check();
      const generation = live(collection);
      return present(keys, (key) => generation?.get(key)?.doc as D | undefined);
    },

    async find<D extends Doc>(collection: string, find: Find): Promise<Page<D>> {
      check();
      const generation = live(collection);
      if (generation === undefined) return { items: [], nextCursor: null };
      const { items, nextCursor } = page(generation, find);
      return { items: items as D[], nextCursor };
    },

    async count(collection, where) {
      check();
      const generation = live(collection);
      if (generation === undefined) return 0;
      const tests = testsOf(generation.definition, where);
      return [...generation.documents.values()].filter(({ doc }) =>
        matches(generation.definition, tests, doc),
      ).length;
    },

    async checkpoint(projection) {
      check();
      return shown(projection)?.checkpoint() ?? START;
    },

    async parkedCount(projection) {
      check();
      return shown(projection)?.parked.size ?? 0;
    },

    async stop() {
      check.stop();
    },
  };
}

function page({ definition, documents }: MemoryGeneration, find: Find) {
  checkFind(definition, find);
  const tests = testsOf(definition, find.where);
  const after = decodeCursor(definition.name, find);
  const sign = find.sort?.direction === 'desc' ? -1 : 1;
  const placeOf = ([key, { doc }]: [string, Stored]) => ({
    value: find.sort === undefined ? null : scalarOf(doc[find.sort.field]),
    key,
    doc,
  });
  type Entry = ReturnType<typeof placeOf>;
  const compare = (a: Omit<Entry, 'doc'>, b: Omit<Entry, 'doc'>) =>
    sign * (compareValues(a.value, b.value) || compareText(a.key, b.key));
  const met = [...documents]
    .filter(([, { doc }]) => matches(definition, tests, doc))
    .map(placeOf)
    .filter((entry) => after === undefined || compare(entry, after) > 0)
    .sort(compare)
    .slice(find.skip ?? 0);
  const entries = met.slice(0, find.limit);
  const last = met.length > find.limit ? entries.at(-1) : undefined;
  return {
    items: entries.map(({ doc }) => doc),
    nextCursor: last === undefined ? null : encodeCursor(definition.name, find, last),
  };
}
