import { filterOf, orderOf } from '../../src/adapters/mongodb/conditions.js';
import { documentsOf } from '../../src/adapters/mongodb/documents.js';
import { mongoReadModelStore } from '../../src/adapters/mongodb/readModelStore.js';
import { definitionOf } from '../../src/adapters/documents/definition.js';
import { testsOf } from '../../src/adapters/documents/question.js';
import type { Position } from '../../src/events/envelope.js';
import type { Find } from '../../src/projections/readModels.js';
import { temporaryDatabase, withMongodb } from '../support/mongodb.js';

const COLLECTION = {
  name: 'devices',
  indexes: [{ fields: ['org', 'name'] }, { fields: ['rank'] }, { fields: ['tags'] }],
};

/** What comes after a cursor is several ranges, whose plan not every server that we test on tells. */
const QUESTIONS: readonly (readonly [string, Omit<Find, 'limit'>])[] = [
  ['an equal value', { where: { org: { eq: 'o3' } } }],
  [
    'one of two',
    { where: { org: { in: ['o1', 'o2'] } }, sort: { field: 'name', direction: 'asc' } },
  ],
  ['a page', { where: { org: { eq: 'o3' } }, sort: { field: 'name', direction: 'asc' } }],
  [
    'a page backwards',
    { where: { org: { eq: 'o3' } }, sort: { field: 'name', direction: 'desc' } },
  ],
  ['an order alone', { where: {}, sort: { field: 'rank', direction: 'asc' } }],
  ['a range', { where: { rank: { gte: 5, lt: 9 } } }],
  ['an element', { where: { tags: { eq: 't1' } } }],
];

withMongodb(() => {
  describe('an index of MongoDB', () => {
    const database = temporaryDatabase();
    let planOf: (find: Omit<Find, 'limit'>) => Promise<string>;

    beforeAll(async () => {
      const mongo = await database.connect();
      const store = mongoReadModelStore(mongo);
      const generation = await store.open('devices', 1, COLLECTION);
      const writes = Array.from({ length: 200 }, (_, i) => ({
        key: `k${i}`,
        doc: { org: `o${i % 20}`, name: `n${i}`, rank: i, tags: [`t${i % 9}`] },
        position: BigInt(i + 1) as Position,
      }));
      const checkpoint = BigInt(writes.length) as Position;
      await store.commit([{ generation, writes, parked: [], checkpoint }]);
      const definition = definitionOf(COLLECTION);
      const documents = documentsOf(mongo.db, { collection: 'devices', number: 1 });
      planOf = async ({ where, sort }) => {
        const filter = filterOf(['tags'], testsOf(definition, where), sort);
        const query = documents.find(filter).sort(orderOf(sort)).limit(10);
        const { queryPlanner } = (await query.explain('queryPlanner')) as {
          queryPlanner: { winningPlan: unknown };
        };
        return JSON.stringify(queryPlanner.winningPlan);
      };
    });
    afterAll(() => database.drop());

    it.each(QUESTIONS)('answers %s', async (_, find) => {
      const plan = await planOf(find);
      expect(plan).toContain('IXSCAN');
      expect(plan).not.toContain('COLLSCAN');
    });
  });
});
