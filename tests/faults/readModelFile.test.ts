import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { MAX_WAITING, queryLink } from '../../src/adapters/sqlite/queryLink.js';
import { READ_MODEL_FORMAT } from '../../src/adapters/sqlite/readModelFile.js';
import { sqliteReadModelStore } from '../../src/adapters/sqlite/readModelStore.js';
import { sqliteReadModels } from '../../src/adapters/sqlite/readModels.js';
import { START, type Position } from '../../src/events/envelope.js';
import {
  GenerationDropped,
  type Doc,
  type Generation,
  type Write,
} from '../../src/projections/readModels.js';
import { temporaryFile, type TemporaryFile } from '../support/temporaryFile.js';

const DEVICES = { name: 'devices', indexes: [{ fields: ['org', 'name'] }, { fields: ['tags'] }] };
const USERS = { name: 'users', indexes: [] };

const at = (position: number) => BigInt(position) as Position;

/** What only the file can keep or break: the rest is the contract. */
describe('a read-model file', () => {
  let temporary: TemporaryFile;
  let file: string;
  const opened: { stop(): Promise<void> }[] = [];

  function keep<Side extends { stop(): Promise<void> }>(side: Side): Side {
    opened.push(side);
    return side;
  }

  beforeEach(() => {
    temporary = temporaryFile('read-models.db');
    file = temporary.file;
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((side) => side.stop()));
    temporary.remove();
  });

  describe('a failed commit', () => {
    it.each([
      ['a write that is no JSON', TypeError],
      ['a generation that was dropped', GenerationDropped],
    ])('leaves nothing behind: %s', async (why, error) => {
      const store = keep(sqliteReadModelStore(file));
      const reads = keep(sqliteReadModels(file));
      const devices = await store.open('devices', 1, DEVICES);
      const users = await store.open('users', 1, USERS);
      const doc = { id: 'a', org: 'o', tags: ['t'] };
      await store.commit([batch(devices, 1, [write('a', 1, doc)])]);
      const dropped = { ...users, number: 7 };
      const last = why.includes('JSON')
        ? batch(users, 2, [write('u', 2, { n: 1n })])
        : batch(dropped, 2, []);
      await expect(
        store.commit([
          {
            ...batch(devices, 2, [
              { ...write('a', 2, { ...doc, org: 'p', tags: [] }), before: doc },
              write('b', 2, { id: 'b' }),
            ]),
            parked: [
              {
                projection: 'devices',
                key: 'c',
                position: at(2),
                eventId: 'e',
                eventType: 'T',
                error: 'x',
                parkedAt: 0,
              },
            ],
          },
          last,
        ]),
      ).rejects.toThrow(error);
      expect(await reads.get('devices', 'a')).toEqual(doc);
      expect(await reads.get('devices', 'b')).toBeUndefined();
      expect(await reads.count('devices', { org: { eq: 'o' }, tags: { eq: 't' } })).toBe(1);
      expect(await reads.checkpoint('devices')).toBe(1n);
      expect(await store.parked('devices')).toEqual([]);
      await store.commit([
        batch(devices, 2, [{ ...write('a', 2, { ...doc, org: 'q' }), before: doc }]),
      ]);
      expect(await reads.count('devices', { org: { eq: 'q' } })).toBe(1);
    });
  });

  it('may be opened first by the side that reads', async () => {
    const reads = keep(sqliteReadModels(file));
    expect(await reads.checkpoint('devices')).toBe(START);
    expect(await reads.count('devices', {})).toBe(0);
    const store = keep(sqliteReadModelStore(file));
    const devices = await store.open('devices', 1, DEVICES);
    await store.commit([batch(devices, 1, [write('a', 1, { id: 'a' })])]);
    expect(await reads.count('devices', {})).toBe(1);
    expect(await reads.get('devices', 'a')).toEqual({ id: 'a' });
  });

  it('touches no index when nothing that is indexed has changed', async () => {
    const store = keep(sqliteReadModelStore(file));
    const devices = await store.open('devices', 1, DEVICES);
    const doc = { id: 'a', org: 'o', name: 'n', tags: ['t'], n: 1 };
    await store.commit([batch(devices, 1, [write('a', 1, doc)])]);
    // Whoever writes to the column fails.
    sql(`CREATE TRIGGER no_org BEFORE UPDATE OF f_org ON "devices.1" BEGIN SELECT RAISE(ABORT, 'org'); END;
         CREATE TRIGGER no_tags BEFORE DELETE ON "devices.1.tags" BEGIN SELECT RAISE(ABORT, 'tags'); END;`);
    const next = { ...doc, n: 2, name: 'm', tags: ['t'] };
    await store.commit([batch(devices, 2, [{ ...write('a', 2, next), before: doc }])]);
    const changed = { ...write('a', 3, { ...next, org: 'p' }), before: next };
    await expect(store.commit([batch(devices, 3, [changed])])).rejects.toMatchObject({
      message: 'org',
    });
  });

  describe('of an older format is emptied, to be folded from the log again,', () => {
    const FORMAT_1 = `
      CREATE TABLE generations (
        projection TEXT NOT NULL, number INTEGER NOT NULL, version INTEGER NOT NULL,
        collection TEXT NOT NULL, indexes TEXT NOT NULL, live INTEGER NOT NULL,
        checkpoint INTEGER NOT NULL, commits INTEGER NOT NULL, PRIMARY KEY (projection, number)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE parked (key TEXT NOT NULL);
      INSERT INTO generations VALUES ('devices', 1, 1, 'devices', '[["org","name"],["tags"]]', 1, 9, 3);
      CREATE TABLE "devices.1" (key TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, doc TEXT NOT NULL);
      INSERT INTO "devices.1" VALUES ('a', 9, '{"id":"a"}');
      CREATE TABLE "devices.1.tags" (key TEXT NOT NULL, value NOT NULL, PRIMARY KEY (key, value)) WITHOUT ROWID;
      PRAGMA application_id = 1181512301;
      PRAGMA user_version = 1;`;

    it.each([
      ['the side that writes', () => keep(sqliteReadModelStore(file))],
      ['the side that reads', () => keep(sqliteReadModels(file))],
    ])('by %s', async (_, openFirst) => {
      sql(FORMAT_1);
      openFirst();
      const [store, reads] = [keep(sqliteReadModelStore(file)), keep(sqliteReadModels(file))];
      expect(await reads.get('devices', 'a')).toBeUndefined();
      expect(await reads.checkpoint('devices')).toBe(START);
      const devices = await store.open('devices', 1, DEVICES);
      expect(devices).toMatchObject({ number: 1, live: true, checkpoint: START });
      await store.commit([batch(devices, 1, [write('a', 1, { id: 'a', org: 'o', tags: ['t'] })])]);
      expect(await reads.count('devices', { org: { eq: 'o' }, tags: { eq: 't' } })).toBe(1);
    });
  });

  describe('is refused', () => {
    it('when a newer program made it', async () => {
      await keep(sqliteReadModelStore(file)).stop();
      sql(`PRAGMA user_version = ${READ_MODEL_FORMAT + 1}`);
      expect(() => sqliteReadModelStore(file)).toThrow(
        fault('newer-format', 'rebuilt from the log'),
      );
      expect(() => sqliteReadModels(file)).toThrow(fault('newer-format', 'rebuilt from the log'));
    });

    it('when it is of a format that is no longer known', async () => {
      await keep(sqliteReadModelStore(file)).stop();
      sql('PRAGMA user_version = 0');
      expect(() => sqliteReadModelStore(file)).toThrow(fault('damaged', 'rebuilt from the log'));
    });

    it('when it is the database of something else, which stays as it is', () => {
      sql('CREATE TABLE photos (id)');
      expect(() => sqliteReadModelStore(file)).toThrow(fault('damaged', 'another application'));
      expect(existsSync(`${file}-wal`)).toBe(false);
    });

    it('when it is no database', () => {
      writeFileSync(file, 'not a database '.repeat(1_000));
      expect(() => sqliteReadModelStore(file)).toThrow(fault('damaged', 'rebuilt from the log'));
      expect(readFileSync(file, 'utf8')).toContain('not a database');
    });

    it('when it lies where no file can lie', () => {
      writeFileSync(file, '');
      expect(() => sqliteReadModelStore(`${file}/inside`)).toThrow();
    });
  });

  it('says so when a page of it is damaged', async () => {
    const store = keep(sqliteReadModelStore(file));
    const devices = await store.open('devices', 1, DEVICES);
    const writes = Array.from({ length: 2_000 }, (_, i) =>
      write(`k${i}`, i + 1, { id: i, org: 'o', text: 'x'.repeat(300) }),
    );
    await store.commit([batch(devices, 2_000, writes)]);
    await store.stop();
    overwrite(file, 4_096 * 8, statSync(file).size);
    const reads = keep(sqliteReadModels(file));
    const asked = Promise.all(writes.map(({ key }) => reads.get('devices', key)));
    await expect(asked).rejects.toMatchObject({ reason: 'damaged' });
    await expect(reads.find('devices', { where: {}, limit: 200 })).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringContaining(file) as string,
    });
  });

  describe('the query thread', () => {
    it('is started again when it has died, and says what was lost', async () => {
      const threads: Worker[] = [];
      const link = keep(
        queryLink(file, (entry, options) => {
          const thread = new Worker(entry, options);
          threads.push(thread);
          return thread;
        }),
      );
      expect(await link.count('devices', {})).toBe(0);
      const ended = threads[0]?.terminate();
      const lost = link.count('devices', {});
      await expect(lost).rejects.toMatchObject({ reason: 'unreachable' });
      await ended;
      expect(await link.count('devices', {})).toBe(0);
      expect(threads).toHaveLength(2);
    });

    it('refuses more questions than may wait, and answers the others', async () => {
      const link = keep(queryLink(file));
      const asked = Array.from({ length: MAX_WAITING + 1 }, () => link.count('devices', {}));
      await expect(asked.pop()).rejects.toMatchObject({ reason: 'busy' });
      expect(new Set(await Promise.all(asked))).toEqual(new Set([0]));
    });

    it('answers what was asked before it is stopped', async () => {
      const link = queryLink(file);
      const asked = link.count('devices', {});
      await link.stop();
      expect(await asked).toBe(0);
      await expect(link.count('devices', {})).rejects.toMatchObject({ reason: 'stopped' });
    });
  });

  function sql(text: string): void {
    const db = new Database(file);
    db.exec(text);
    db.close();
  }
});

function write(key: string, position: number, doc: Doc): Write {
  return { key, doc, position: at(position) };
}

function batch(generation: Generation, checkpoint: number, writes: Write[]) {
  return { generation, writes, parked: [], checkpoint: at(checkpoint) };
}

function fault(reason: string, message: string): Error {
  return expect.objectContaining({
    reason,
    message: expect.stringContaining(message) as string,
  }) as Error;
}

function overwrite(file: string, from: number, to: number): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.alloc(to - from, 0xa5), 0, to - from, from);
  closeSync(descriptor);
}
