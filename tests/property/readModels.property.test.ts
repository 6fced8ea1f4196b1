import fc from 'fast-check';
import { memoryReadModels } from '../../src/adapters/memory/readModels.js';
import { questions } from '../../src/adapters/sqlite/questions.js';
import { connectReadModelReader } from '../../src/adapters/sqlite/readModelFile.js';
import { sqliteReadModelStore } from '../../src/adapters/sqlite/readModelStore.js';
import { sqliteReadModels } from '../../src/adapters/sqlite/readModels.js';
import type { Position } from '../../src/events/envelope.js';
import type {
  Collection,
  Condition,
  Doc,
  Find,
  Page,
  ReadModels,
  ReadModelStore,
  Where,
} from '../../src/projections/readModels.js';
import { temporaryFile } from '../support/temporaryFile.js';

const FIELDS = ['a', 'b', 'c', 'tags'] as const;
const INDEXES = [
  { fields: ['a', 'b', 'c'] },
  { fields: ['a', 'c'] },
  { fields: ['b'] },
  { fields: ['tags'] },
];

const text = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('', 'a', 'aa', 'ab', 'b', 'é', '%', '_', '～', '😀', 'a\u0000'),
  },
  fc.string({ unit: 'binary', maxLength: 3 }),
);
const number = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const scalar = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 4, arbitrary: number },
  fc.boolean(),
  fc.constant(null),
);
const doc: fc.Arbitrary<Doc> = fc.record(
  {
    a: fc.constantFrom('x', 'y', 1),
    b: scalar,
    c: scalar,
    tags: fc.array(scalar, { maxLength: 4 }),
    more: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const key = fc.oneof(
  fc.nat(15).map((n) => `k${n}`),
  text,
);

const bounds = (value: fc.Arbitrary<string | number>): fc.Arbitrary<Condition> =>
  fc
    .record({ gt: value, gte: value, lt: value, lte: value }, { requiredKeys: [] })
    .filter((range) => Object.keys(range).length > 0);
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.oneof(text, number, fc.boolean()).map((eq) => ({ eq })),
  fc.array(fc.oneof(text, number), { maxLength: 4 }).map((values) => ({ in: values })),
  text.map((prefix) => ({ prefix })),
  bounds(text),
  bounds(number),
);
const where: fc.Arbitrary<Where> = fc.record(
  {
    a: fc.oneof(fc.constant({ eq: 'x' }), fc.constant({ in: ['x', 'y', 1] })),
    b: condition,
    c: condition,
    tags: condition,
  },
  { requiredKeys: [] },
);
const find: fc.Arbitrary<Find> = fc
  .record({
    where,
    sort: fc.option(
      fc.record({
        field: fc.constantFrom('a', 'b', 'c'),
        direction: fc.constantFrom('asc' as const, 'desc' as const),
      }),
      { nil: undefined },
    ),
    limit: fc.integer({ min: 1, max: 8 }),
  })
  .map(({ sort, ...rest }) => ({ ...rest, ...(sort === undefined ? {} : { sort }) }));

const write = fc.record({
  key,
  doc: fc.option(doc, { freq: 6 }),
  /** How far past the last commit, or before it, the write stands. */
  step: fc.integer({ min: -4, max: 6 }),
  knowsBefore: fc.boolean(),
});
const commits = fc.array(fc.array(write, { maxLength: 12 }), { maxLength: 5 });

type Batches = typeof commits extends fc.Arbitrary<infer Value> ? Value : never;

interface Side {
  readonly store: ReadModelStore;
  readonly reads: ReadModels;
}

describe('the read models in SQLite', () => {
  const temporary = temporaryFile('read-models.db');
  const memory: Side = memoryReadModels();
  const sqlite: Side = {
    store: sqliteReadModelStore(temporary.file),
    reads: sqliteReadModels(temporary.file),
  };
  const db = connectReadModelReader(temporary.file);
  const direct = questions(db, 0);
  /** Questions that never begin with what is rare, as over a large collection. */
  const inOrder: Pick<ReadModels, 'find' | 'count'> = {
    find: async <D extends Doc>(collection: string, asked: Find): Promise<Page<D>> => {
      const { items, nextCursor } = direct.find(collection, asked);
      return { items: JSON.parse(items) as D[], nextCursor };
    },
    count: async (collection, asked) => direct.count(collection, asked),
  };
  let runs = 0;

  afterAll(async () => {
    db.close();
    await sqlite.store.stop();
    await sqlite.reads.stop();
    temporary.remove();
  });

  async function fill(side: Side, collection: Collection, batches: Batches) {
    const generation = await side.store.open(collection.name, 1, collection);
    let position = 10;
    for (const batch of batches) {
      const known = await side.store.load(
        generation,
        batch.map((each) => each.key),
      );
      // `before` is what the store has, so only a key's first write of a batch may know it.
      const seen = new Set<string>();
      const writes = batch.map((each) => {
        const before =
          each.knowsBefore && !seen.has(each.key) ? known.get(each.key)?.doc : undefined;
        seen.add(each.key);
        return {
          key: each.key,
          doc: each.doc,
          position: BigInt(position + each.step) as Position,
          ...(before === undefined ? {} : { before }),
        };
      });
      position += 5;
      const checkpoint = BigInt(position) as Position;
      await side.store.commit([{ generation, writes, parked: [], checkpoint }]);
    }
    const keys = batches.flat().map((each) => each.key);
    return [...(await side.store.load(generation, keys))];
  }

  async function answer(
    reads: Pick<ReadModels, 'find' | 'count'>,
    collection: string,
    question: Find,
  ) {
    const pages = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const asked = cursor === undefined ? question : { ...question, cursor };
      const page = await reads.find(collection, asked);
      cursor = page.nextCursor;
      pages.push(page);
    }
    const skipped = await reads.find(collection, { ...question, skip: question.limit });
    return { pages, skipped, count: await reads.count(collection, question.where) };
  }

  it('answer every question as those in memory do', async () => {
    await fc.assert(
      fc.asyncProperty(
        commits,
        fc.array(find, { minLength: 1, maxLength: 8 }),
        async (batches, asked) => {
          const collection = { name: `run${runs++}`, indexes: INDEXES };
          expect(await fill(sqlite, collection, batches)).toEqual(
            await fill(memory, collection, batches),
          );
          for (const question of asked) {
            const expected = await answer(memory.reads, collection.name, question);
            expect(await answer(sqlite.reads, collection.name, question)).toEqual(expected);
            expect(await answer(inOrder, collection.name, question)).toEqual(expected);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('know every field that is asked for', () => {
    expect(new Set(INDEXES.flatMap(({ fields }) => fields))).toEqual(new Set(FIELDS));
  });
});
