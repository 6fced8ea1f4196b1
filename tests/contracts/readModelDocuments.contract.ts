import { START } from '../../src/events/envelope.js';
import {
  type Doc,
  type Generation,
  type ReadModels,
  type ReadModelStore,
} from '../../src/projections/readModels.js';
import {
  DEVICES,
  SPECIAL_TEXTS,
  at,
  withReadModels,
  type ReadModelsUnderTest,
  type Setup,
} from './readModels.fixture.js';

/** What is kept of documents, and what a commit does to them. */
export function documentsContract(name: string, setup: Setup): void {
  describe(`documents of the read models, ${name}`, () => {
    let under: ReadModelsUnderTest;
    let store: ReadModelStore;
    let reads: ReadModels;
    let devices: Generation;
    const { commit, put, found, tick } = withReadModels(setup, (opened) => {
      ({ under, store, reads, devices } = opened);
    });

    describe('documents', () => {
      it('are read as they were written', async () => {
        const doc = {
          id: 'd1',
          text: 'é "quoted" \\ \u0000 😀',
          numbers: [0, -1.5, 1e300, Number.MAX_SAFE_INTEGER],
          nested: { deep: [{ a: null, b: [true, false] }] },
          'odd.key': 1,
          $set: { x: 1 },
          '': 'empty',
        };
        await put({ d1: doc });
        expect(await reads.get('devices', 'd1')).toEqual(doc);
        const page = await reads.find('devices', { where: {}, limit: 10 });
        expect(page).toEqual({ items: [doc], nextCursor: null });
      });

      it('keep a key named __proto__ as data', async () => {
        const doc = JSON.parse('{"id":"d1","__proto__":{"admin":true},"constructor":1}') as Doc;
        await put({ d1: doc });
        const read = await reads.get('devices', 'd1');
        expect(JSON.stringify(read)).toBe(JSON.stringify(doc));
        expect(read?.admin).toBeUndefined();
        const [first] = (await reads.find('devices', { where: {}, limit: 1 })).items;
        expect(JSON.stringify(first)).toBe(JSON.stringify(doc));
      });

      it('may be a megabyte large', async () => {
        const doc = { id: 'd1', blob: 'ü'.repeat(500_000) };
        await put({ d1: doc });
        expect(await reads.get('devices', 'd1')).toEqual(doc);
        expect((await reads.find('devices', { where: {}, limit: 1 })).items).toEqual([doc]);
      });

      it('are missing where there are none', async () => {
        expect(await reads.get('devices', 'd1')).toBeUndefined();
        expect(await reads.getMany('devices', ['d1', 'd2'])).toEqual(new Map());
        expect(await reads.getMany('devices', [])).toEqual(new Map());
        expect(await store.load(devices, ['d1'])).toEqual(new Map());
      });

      it('come many at once, each by its key', async () => {
        await put({ a: { id: 'a' }, b: { id: 'b' }, c: { id: 'c' } });
        const many = await reads.getMany('devices', ['c', 'a', 'nothing', 'a']);
        expect([...many].sort()).toEqual([
          ['a', { id: 'a' }],
          ['c', { id: 'c' }],
        ]);
      });

      it('are loaded with the position of their last event', async () => {
        const far = at(2n ** 62n + 1n);
        await commit([
          { key: 'a', doc: { id: 'a' }, position: at(7) },
          { key: 'b', doc: { id: 'b' }, position: far },
        ]);
        expect(await store.load(devices, ['a', 'b', 'c'])).toEqual(
          new Map([
            ['a', { doc: { id: 'a' }, position: 7n }],
            ['b', { doc: { id: 'b' }, position: far }],
          ]),
        );
      });

      it('are not changed by who wrote or read them', async () => {
        const tags = ['a'];
        await put({ d1: { id: 'd1', tags } });
        tags.push('b');
        expect(await reads.get('devices', 'd1')).toEqual({ id: 'd1', tags: ['a'] });
        const read = await reads.get<{ id: string }>('devices', 'd1');
        try {
          if (read !== undefined) read.id = 'changed';
        } catch {
          // An adapter may give out frozen documents.
        }
        expect(await reads.get('devices', 'd1')).toEqual({ id: 'd1', tags: ['a'] });
      });

      it.each(SPECIAL_TEXTS.filter((text) => text !== ''))('may have the key %j', async (key) => {
        await put({ [key]: { id: key } });
        expect(await reads.get('devices', key)).toEqual({ id: key });
        expect(await store.load(devices, [key])).toEqual(
          new Map([[key, { doc: { id: key }, position: 1n }]]),
        );
        expect(await reads.count('devices', {})).toBe(1);
      });

      it('of a collection that nobody has opened are none', async () => {
        expect(await reads.get('nothing', 'd1')).toBeUndefined();
        expect(await reads.getMany('nothing', ['d1'])).toEqual(new Map());
        expect(await reads.count('nothing', { x: { eq: 1 } })).toBe(0);
        const page = await reads.find('nothing', { where: {}, limit: 1 });
        expect(page).toEqual({ items: [], nextCursor: null });
      });
    });

    describe('a commit', () => {
      it('is there for every connection once it has resolved', async () => {
        const others = under.reads();
        expect(await others.checkpoint('devices')).toBe(START);
        await put({ d1: { id: 'd1', org: 'o' } });
        expect(await others.get('devices', 'd1')).toEqual({ id: 'd1', org: 'o' });
        expect(await others.count('devices', { org: { eq: 'o' } })).toBe(1);
        expect(await others.checkpoint('devices')).toBe(1n);
      });

      it('moves the checkpoint without any writes', async () => {
        await store.commit([{ generation: devices, writes: [], parked: [], checkpoint: at(99) }]);
        expect(await reads.checkpoint('devices')).toBe(99n);
        expect((await store.open('devices', 1, DEVICES)).checkpoint).toBe(99n);
      });

      it('writes to several projections', async () => {
        const users = await store.open('users', 1, { name: 'users', indexes: [] });
        await store.commit([
          {
            generation: devices,
            writes: [{ key: 'x', doc: { id: 'device' }, position: at(1) }],
            parked: [],
            checkpoint: at(4),
          },
          {
            generation: users,
            writes: [{ key: 'x', doc: { id: 'user' }, position: at(2) }],
            parked: [],
            checkpoint: at(5),
          },
        ]);
        expect(await reads.get('devices', 'x')).toEqual({ id: 'device' });
        expect(await reads.get('users', 'x')).toEqual({ id: 'user' });
        expect(await reads.checkpoint('devices')).toBe(4n);
        expect(await reads.checkpoint('users')).toBe(5n);
      });

      it('changes nothing when it comes again', async () => {
        const writes = [
          { key: 'a', doc: { id: 'a', org: 'o', tags: ['t'] }, position: at(1) },
          { key: 'b', doc: { id: 'b', org: 'o' }, position: at(2) },
        ];
        await commit(writes);
        await commit(writes);
        expect(await found({ org: { eq: 'o' } })).toEqual(['a', 'b']);
        expect(await found({ tags: { eq: 't' } })).toEqual(['a']);
      });

      it.each([
        ['knowing what was before', { id: 'a', org: 'old', tags: ['old'] }],
        ['knowing nothing', undefined],
      ])('leaves a document at or past its position as it is, %s', async (_, before) => {
        await put({ a: { id: 'a', org: 'old', tags: ['old'] } });
        const next = { id: 'a', org: 'new', tags: ['new'] };
        await commit([
          { key: 'a', doc: next, position: at(10), ...(before === undefined ? {} : { before }) },
        ]);
        for (const position of [10, 9, 1]) {
          for (const doc of [{ id: 'a', org: 'wrong', tags: ['wrong'] }, null]) {
            await store.commit([
              {
                generation: devices,
                writes: [{ key: 'a', doc, position: at(position), before: next }],
                parked: [],
                checkpoint: at(10),
              },
            ]);
          }
        }
        expect(await reads.get('devices', 'a')).toEqual(next);
        expect(await found({ org: { eq: 'new' } })).toEqual(['a']);
        expect(await found({ tags: { eq: 'new' } })).toEqual(['a']);
        expect(await found({ org: { in: ['old', 'wrong'] } })).toEqual([]);
        expect(await found({ tags: { in: ['old', 'wrong'] } })).toEqual([]);
      });

      it('that ends behind the checkpoint brings no removed document back', async () => {
        await commit([{ key: 'a', doc: { id: 'a' }, position: at(1) }]);
        await commit([{ key: 'a', doc: null, position: at(2) }]);
        await commit([{ key: 'a', doc: { id: 'a' }, position: at(1) }]);
        expect(await reads.get('devices', 'a')).toBeUndefined();
        expect(await reads.checkpoint('devices')).toBe(2n);
      });

      it('finds documents by what they are now, field by field', async () => {
        let doc: Doc = { id: 'a', org: 'o1', name: 'n1', seenAt: 1, rank: 1, tags: ['t1', 'x'] };
        await put({ a: doc });
        const changes: Doc[] = [
          { org: 'o2' },
          { name: 'n2' },
          { seenAt: 2, rank: 'two' },
          { rank: null },
          { tags: ['t2', 'x'] },
          { tags: [] },
          { unindexed: true },
          { org: 'o3', name: 'n3', seenAt: 3, rank: 3, tags: ['t3'] },
        ];
        for (const change of changes) {
          const next = { ...doc, ...change };
          await commit([{ key: 'a', doc: next, before: doc, position: tick() }]);
          for (const field of ['org', 'name', 'seenAt', 'rank'] as const) {
            const [was, is] = [doc[field], next[field]];
            if (is !== null) expect(await found({ [field]: { eq: is as string } })).toEqual(['a']);
            if (was !== is && was !== null) {
              expect(await found({ [field]: { eq: was as string } })).toEqual([]);
            }
          }
          for (const tag of ['t1', 't2', 't3', 'x']) {
            const has = (next.tags as string[]).includes(tag);
            expect(await found({ tags: { eq: tag } })).toEqual(has ? ['a'] : []);
          }
          doc = next;
        }
      });

      it('writes a document although what was said to be before is gone', async () => {
        const doc = { id: 'a', org: 'o', tags: ['t'] };
        await commit([{ key: 'a', doc, before: doc, position: at(1) }]);
        expect(await found({ org: { eq: 'o' }, tags: { eq: 't' } })).toEqual(['a']);
      });

      it('is indexed rightly although another owner wrote in between', async () => {
        const first = { id: 'a', name: 'x', tags: ['x'], org: 'o' };
        await put({ a: first });
        const other = under.store();
        const taken = await other.open('devices', 1, DEVICES);
        await other.commit([
          {
            generation: taken,
            writes: [
              { key: 'a', doc: { ...first, name: 'y', tags: ['y'] }, position: at(2) },
              { key: 'b', doc: { id: 'b', name: 'z', org: 'o' }, position: at(3) },
            ],
            parked: [],
            checkpoint: at(3),
          },
        ]);
        // The first owner has folded the same events and one more, and remembers the old document.
        await commit([{ key: 'a', doc: first, before: first, position: at(4) }]);
        expect(await found({ name: { eq: 'x' } })).toEqual(['a']);
        expect(await found({ tags: { eq: 'x' } })).toEqual(['a']);
        expect(await found({ name: { eq: 'y' } })).toEqual([]);
        expect(await found({ tags: { eq: 'y' } })).toEqual([]);
        expect(await found({ name: { eq: 'z' } })).toEqual(['b']);
      });

      it('takes two writes to one document in their order', async () => {
        await commit([
          { key: 'a', doc: { id: 'a', org: 'o1' }, position: at(1) },
          { key: 'a', doc: { id: 'a', org: 'o2' }, position: at(2) },
          { key: 'b', doc: { id: 'b', org: 'o1' }, position: at(3) },
          { key: 'b', doc: null, position: at(4) },
        ]);
        expect(await found({})).toEqual(['a']);
        expect(await found({ org: { eq: 'o2' } })).toEqual(['a']);
        expect(await found({ org: { eq: 'o1' } })).toEqual([]);
      });

      it('removes a document and everything it is found by', async () => {
        await put({ a: { id: 'a', org: 'o', tags: ['t'] }, b: { id: 'b', org: 'o', tags: ['t'] } });
        await put({ a: null });
        expect(await reads.get('devices', 'a')).toBeUndefined();
        expect(await found({ org: { eq: 'o' } })).toEqual(['b']);
        expect(await found({ tags: { eq: 't' } })).toEqual(['b']);
        await put({ a: { id: 'a', tags: ['u'] } });
        expect(await found({ tags: { eq: 't' } })).toEqual(['b']);
        expect(await found({ tags: { eq: 'u' } })).toEqual(['a']);
      });
    });
  });
}
