import { testsOf, type Test } from '../../src/adapters/documents/question.js';
import { liveTables } from '../../src/adapters/sqlite/liveTables.js';
import { connectReadModelReader } from '../../src/adapters/sqlite/readModelFile.js';
import { keysSql } from '../../src/adapters/sqlite/readModelQuery.js';
import { sqliteReadModelStore } from '../../src/adapters/sqlite/readModelStore.js';
import type { Start } from '../../src/adapters/sqlite/searchStart.js';
import type { Find, ReadModelStore } from '../../src/projections/readModels.js';
import { temporaryFile } from '../support/temporaryFile.js';

const collection = {
  name: 'devices',
  indexes: [
    { fields: ['org', 'name'] },
    { fields: ['org', 'createdAt'] },
    { fields: ['org', 'lastSeenAt'] },
    { fields: ['org', 'status'] },
    { fields: ['deviceId', 'at'] },
    { fields: ['tags'] },
    { fields: ['words'] },
  ],
};

const org = { eq: 'o' } as const;
const orgs = { in: ['o', 'p', 'q'] } as const;

/** https://sqlite.org/eqp.html */
describe('how SQLite answers', () => {
  const temporary = temporaryFile('read-models.db');
  let store: ReadModelStore;
  let db: ReturnType<typeof connectReadModelReader>;

  beforeAll(async () => {
    store = sqliteReadModelStore(temporary.file);
    await store.open('devices', 1, collection);
    db = connectReadModelReader(temporary.file);
  });

  afterAll(async () => {
    db.close();
    await store.stop();
    temporary.remove();
  });

  function plan(
    find: Find,
    start?: (tests: readonly Test[]) => Start,
    after?: { value: string | number | null; key: string },
  ) {
    const table = liveTables(db)('devices');
    if (table === undefined) throw new Error('the collection is open');
    const tests = testsOf(table.definition, find.where);
    const onElements = tests.filter(({ field }) => ['tags', 'words'].includes(field));
    const onColumns = tests.filter((test) => !onElements.includes(test));
    const { text, parameters } = keysSql(
      table,
      find,
      { onColumns, onElements },
      start?.(tests),
      after,
    );
    const rows = db
      .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${text}`)
      .all(...parameters);
    return rows.map(({ detail }) => detail);
  }

  const cases: readonly (readonly [string, Find['where'], string, string])[] = [
    ['an organization by name', { org }, 'name', 'org,name'],
    ['an organization by age', { org }, 'createdAt', 'org,createdAt'],
    ['an organization by life', { org }, 'lastSeenAt', 'org,lastSeenAt'],
    ['several organizations', { org: orgs }, 'lastSeenAt', 'org,lastSeenAt'],
    ['an organization and a tag', { org, tags: { eq: 't' } }, 'name', 'org,name'],
    ['organizations and a word', { org: orgs, words: { prefix: 'w' } }, 'name', 'org,name'],
    ['a device and a time', { deviceId: { eq: 'd' }, at: { gte: 1, lt: 9 } }, 'at', 'deviceId,at'],
  ];

  describe.each(['asc', 'desc'] as const)('%s', (direction) => {
    it.each(cases)('%s: in the order of an index, without a sort', (_, where, field, index) => {
      const find: Find = { where, sort: { field, direction }, limit: 50 };
      for (const after of [undefined, { value: 5, key: 'k' }, { value: null, key: 'k' }]) {
        const steps = plan(find, undefined, after);
        const searched = steps.filter((step) => /(SEARCH|SCAN) stored/.test(step));
        expect(searched.length).toBeGreaterThan(0);
        for (const step of searched) {
          expect(step).toMatch(`SEARCH stored USING COVERING INDEX devices.1:${index}`);
        }
        expect(steps.join('\n')).not.toContain('TEMP B-TREE');
      }
    });
  });

  it('seeks the place of a cursor and does not count up to it', () => {
    const find: Find = { where: { org }, sort: { field: 'name', direction: 'asc' }, limit: 50 };
    expect(plan(find, undefined, { value: 'n', key: 'k' }).join()).toMatch(/f_org=\? AND .*f_name/);
  });

  it('looks for elements one document at a time, by key', () => {
    const find: Find = {
      where: { org, words: { prefix: 'w' } },
      sort: { field: 'name', direction: 'asc' },
      limit: 50,
    };
    expect(plan(find).join('\n')).toMatch(
      /SEARCH element .*USING PRIMARY KEY \(key=\? AND value>\? AND value<\?\)/,
    );
  });

  it('begins with the documents of a rare tag, and looks each up by its key', () => {
    const where = { org, tags: { eq: 't' } };
    const find: Find = { where, sort: { field: 'name', direction: 'asc' }, limit: 50 };
    const start = (tests: readonly Test[]): Start => {
      const test = tests.find(({ field }) => field === 'tags');
      if (test === undefined) throw new Error('a condition on tags');
      return { kind: 'elements', test };
    };
    const steps = plan(find, start).join('\n');
    expect(steps).toContain('USING COVERING INDEX devices.1:tags,value (value=?)');
    expect(steps).not.toContain('SEARCH element');
    expect(steps).toMatch(/SEARCH stored USING INDEX sqlite_autoindex_devices.1_1 \(key=\?\)/);
  });

  it('begins with the documents of a rare status', () => {
    const where = { org, status: { eq: 's' } } as const;
    const find: Find = { where, sort: { field: 'name', direction: 'asc' }, limit: 50 };
    const start = (tests: readonly Test[]): Start => ({
      kind: 'index',
      fields: ['org', 'status'],
      tests,
    });
    expect(plan(find, start).join('\n')).toContain(
      'SEARCH stored USING INDEX devices.1:org,status (f_org=? AND f_status=?)',
    );
  });
});
