import {
  InvalidCursor,
  type Condition,
  type Find,
  type ReadModels,
  type ReadModelStore,
  type Where,
} from '../../src/projections/readModels.js';
import {
  DEVICES,
  SPECIAL_TEXTS,
  ids,
  numbered,
  withReadModels,
  type Setup,
  type Sizes,
} from './readModels.fixture.js';

/** Orders text as its UTF-8 bytes, by another way than the adapters take. */
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What is found, in which order, and page by page. */
export function questionsContract(name: string, setup: Setup, { longList }: Sizes): void {
  describe(`questions to the read models, ${name}`, () => {
    let store: ReadModelStore;
    let reads: ReadModels;
    const { put, all, found } = withReadModels(setup, (opened) => {
      ({ store, reads } = opened);
    });

    describe('a condition', () => {
      const cases: readonly (readonly [string, Condition, string[]])[] = [
        ['an equal text', { eq: 'b' }, ['text-b']],
        ['an equal number', { eq: 1 }, ['number-1']],
        ['zero, not false or empty', { eq: 0 }, ['number-0']],
        ['true, not one', { eq: true }, ['true']],
        ['false, not zero', { eq: false }, ['false']],
        ['the empty text', { eq: '' }, ['text-empty']],
        [
          'any of some values of several types',
          { in: ['b', 1, 'nothing'] },
          ['number-1', 'text-b'],
        ],
        ['one value said twice', { in: ['b', 'b'] }, ['text-b']],
        ['none of no values', { in: [] }, []],
        ['text from', { gte: 'a' }, ['text-a', 'text-ab', 'text-b']],
        ['text after', { gt: 'a' }, ['text-ab', 'text-b']],
        ['text before', { lt: 'b' }, ['text-a', 'text-ab', 'text-empty']],
        ['text up to', { lte: 'b' }, ['text-a', 'text-ab', 'text-b', 'text-empty']],
        ['text between', { gt: 'a', lte: 'b' }, ['text-ab', 'text-b']],
        ['numbers from', { gte: 0 }, ['number-0', 'number-1']],
        ['numbers below', { lt: 0.5 }, ['number--1', 'number-0']],
        ['numbers between', { gt: -1, lt: 1 }, ['number-0']],
        ['an empty range', { gt: 1, lt: 0 }, []],
        ['bounds of two types', { gt: 0, lt: 'z' }, []],
        ['a prefix', { prefix: 'a' }, ['text-a', 'text-ab']],
        ['the empty prefix', { prefix: '' }, ['text-a', 'text-ab', 'text-b', 'text-empty']],
        ['a prefix of nothing', { prefix: 'abc' }, []],
      ];

      const VALUES = {
        'number-0': 0,
        'number-1': 1,
        'number--1': -1,
        'text-a': 'a',
        'text-ab': 'ab',
        'text-b': 'b',
        'text-empty': '',
        true: true,
        false: false,
        null: null,
        object: { a: 1 },
      };

      it.each(cases)('on a field matches %s', async (_, condition, expected) => {
        const docs = Object.entries(VALUES).map(([id, rank]) => [id, { id, rank }] as const);
        await put({ ...Object.fromEntries(docs), missing: { id: 'missing' } });
        expect(await found({ rank: condition })).toEqual([...expected].sort());
        expect(await reads.count('devices', { rank: condition })).toBe(expected.length);
      });

      it.each(cases)('on elements matches %s', async (_, condition, expected) => {
        const docs = Object.entries(VALUES).map(
          ([id, tag]) => [id, { id, tags: [tag, { x: 1 }, tag] }] as const,
        );
        await put({ ...Object.fromEntries(docs), empty: { id: 'empty', tags: [] } });
        expect(await found({ tags: condition })).toEqual([...expected].sort());
        expect(await reads.count('devices', { tags: condition })).toBe(expected.length);
      });

      it('is met by one element alone', async () => {
        await put({ a: { id: 'a', tags: [1, 9] }, b: { id: 'b', tags: [5] } });
        expect(await found({ tags: { gt: 2, lt: 8 } })).toEqual(['b']);
      });

      it('holds together with others', async () => {
        await put({
          a: { id: 'a', org: 'o1', active: true, rank: 1, tags: ['x', 'y'], words: ['roof'] },
          b: { id: 'b', org: 'o1', active: false, rank: 2, tags: ['x'], words: ['room', 'two'] },
          c: { id: 'c', org: 'o2', active: true, rank: 3, tags: ['y'], words: ['room'] },
        });
        const finds: readonly (readonly [Where, string[]])[] = [
          [{ org: { eq: 'o1' }, active: { eq: true } }, ['a']],
          [{ org: { in: ['o1', 'o2'] }, active: { eq: true } }, ['a', 'c']],
          [{ org: { eq: 'o1' }, tags: { eq: 'x' } }, ['a', 'b']],
          [{ org: { in: ['o1', 'o2'] }, tags: { eq: 'y' }, words: { prefix: 'roo' } }, ['a', 'c']],
          [{ org: { eq: 'o1' }, words: { prefix: 'roo' }, rank: { gte: 2 } }, ['b']],
          [{ org: { eq: 'o2' }, tags: { eq: 'x' } }, []],
        ];
        for (const [where, expected] of finds) {
          for (const sort of [undefined, 'name', 'rank', 'seenAt']) {
            const find = sort && { sort: { field: sort, direction: 'asc' as const } };
            const docs = await all({ where, ...find, limit: 1 });
            expect(ids(docs).sort()).toEqual(expected);
          }
          expect(await reads.count('devices', where)).toBe(expected.length);
        }
      });

      it('takes every text as it is', async () => {
        await put(
          Object.fromEntries(
            SPECIAL_TEXTS.map((name, i) => [`k${i}`, { id: name, name, tags: [name] }]),
          ),
        );
        for (const text of SPECIAL_TEXTS) {
          expect(await found({ name: { eq: text } })).toEqual([text]);
          expect(await found({ tags: { eq: text } })).toEqual([text]);
          const starting = SPECIAL_TEXTS.filter((each) => each.startsWith(text)).sort();
          expect((await found({ name: { prefix: text } })).sort()).toEqual(starting);
          expect((await found({ tags: { prefix: text } })).sort()).toEqual(starting);
          const after = SPECIAL_TEXTS.filter((each) => byBytes(each, text) > 0).sort();
          expect((await found({ name: { gt: text } })).sort()).toEqual(after);
        }
      });

      it('on a field that no index names is a mistake', async () => {
        for (const field of [
          'id',
          'doc',
          'key',
          'position',
          '__proto__',
          'constructor',
          '$where',
          'org; --',
        ]) {
          const where = Object.fromEntries([[field, { eq: 'x' }]]);
          await expect(reads.count('devices', where)).rejects.toThrow(field);
          await expect(reads.find('devices', { where, limit: 1 })).rejects.toThrow(field);
          const sort = { field, direction: 'asc' as const };
          await expect(reads.find('devices', { where: {}, sort, limit: 1 })).rejects.toThrow(field);
        }
      });

      it('that says nothing is a mistake', async () => {
        await expect(reads.count('devices', { org: {} })).rejects.toThrow('org');
      });

      it('of a hostile shape matches nothing', async () => {
        await put({ a: { id: 'a', org: 'o' } });
        const hostile = { eq: { $ne: null } } as unknown as Condition;
        expect(await reads.count('devices', { org: hostile })).toBe(0);
      });
    });

    it('may name a thousand values, beside another thousand', async () => {
      await put(numbered(60, (i) => ({ org: `o${i}`, rank: i, tags: [i] })));
      const several = (count: number) => Array.from({ length: count }, (_, i) => `o${i}`);
      const ranks = Array.from({ length: 1_000 }, (_, i) => i);
      for (const orgs of [several(50), several(1_000)]) {
        const where = { org: { in: orgs }, rank: { in: ranks }, tags: { in: ranks } };
        const sort = { field: 'name', direction: 'asc' } as const;
        expect(await all({ where, sort, limit: 7 })).toHaveLength(Math.min(60, orgs.length));
        expect(await reads.count('devices', where)).toBe(Math.min(60, orgs.length));
      }
      const more = { org: { in: several(1_001) } };
      await expect(reads.count('devices', more)).rejects.toThrow('values');
    });

    describe('pages', () => {
      it.each(['asc', 'desc'] as const)('order text by code point, %s', async (direction) => {
        await put(
          Object.fromEntries(SPECIAL_TEXTS.map((name, i) => [`k${i}`, { id: name, name }])),
        );
        const expected = [...SPECIAL_TEXTS].sort(byBytes);
        if (direction === 'desc') expected.reverse();
        const docs = await all({ where: {}, sort: { field: 'name', direction }, limit: 3 });
        expect(ids(docs)).toEqual(expected);
      });

      it.each(['asc', 'desc'] as const)('order values of all types, %s', async (direction) => {
        const values = [null, -1e300, -2, 0, 0.5, 3, 1e300, '', '0', 'a', 'b', false, true];
        await put(Object.fromEntries(values.map((rank, i) => [`k${99 - i}`, { id: i, rank }])));
        const expected = values.map((_, i) => i);
        if (direction === 'desc') expected.reverse();
        for (const limit of [1, 2, 5, 200]) {
          const docs = await all({ where: {}, sort: { field: 'rank', direction }, limit });
          expect(ids(docs)).toEqual(expected);
        }
      });

      it.each(['asc', 'desc'] as const)('break ties by key, %s', async (direction) => {
        await put(numbered(23, (i) => ({ org: 'o', seenAt: Math.floor(i / 9) })));
        const expected = Array.from({ length: 23 }, (_, i) => `k${String(i).padStart(5, '0')}`);
        if (direction === 'desc') expected.reverse();
        for (const limit of [1, 4, 9, 23]) {
          const sort = { field: 'seenAt', direction };
          expect(ids(await all({ where: { org: { eq: 'o' } }, sort, limit }))).toEqual(expected);
        }
      });

      it.each(['asc', 'desc'] as const)(
        'put what misses the field below all, %s',
        async (direction) => {
          await put(numbered(12, (i) => (i % 2 === 0 ? { org: 'o' } : { org: 'o', seenAt: i })));
          const [missing, valued] = [[0, 2, 4, 6, 8, 10] as const, [1, 3, 5, 7, 9, 11] as const];
          const expected = [...missing, ...valued].map((i) => `k${String(i).padStart(5, '0')}`);
          if (direction === 'desc') expected.reverse();
          for (const where of [{}, { org: { eq: 'o' } }, { org: { in: ['o', 'p'] } }]) {
            for (const limit of [1, 2, 5, 6, 7]) {
              const docs = await all({ where, sort: { field: 'seenAt', direction }, limit });
              expect(ids(docs)).toEqual(expected);
            }
          }
        },
      );

      it('without a sort come by key', async () => {
        await put({ b: { id: 'b' }, '😀': { id: '😀' }, '～': { id: '～' }, a: { id: 'a' } });
        expect(ids(await all({ where: {}, limit: 1 }))).toEqual(['a', 'b', '～', '😀']);
      });

      it.each(['asc', 'desc'] as const)(
        'go through several values as one order, %s',
        async (direction) => {
          await put(numbered(40, (i) => ({ org: `o${i % 4}`, name: `n${(i * 7) % 10}` })));
          const where = { org: { in: ['o1', 'o3', 'none'] } };
          const docs = await all({ where, sort: { field: 'name', direction }, limit: 3 });
          const order = docs.map((doc) => `${String(doc.name)} ${String(doc.id)}`);
          const sorted = [...order].sort();
          expect(order).toEqual(direction === 'asc' ? sorted : sorted.reverse());
          expect(docs).toHaveLength(20);
        },
      );

      it('are complete and stable while documents come and go', async () => {
        await put(numbered(100, (i) => ({ org: 'o', seenAt: i % 10 })));
        let more = 0;
        const docs = await all(
          { where: { org: { eq: 'o' } }, sort: { field: 'seenAt', direction: 'asc' }, limit: 7 },
          async () => {
            const key = `new${more++}`;
            await put({ [key]: { id: key, org: 'o', seenAt: more % 10 } });
          },
        );
        const old = ids(docs).filter((id) => String(id).startsWith('k'));
        expect(old).toHaveLength(100);
        expect(new Set(ids(docs)).size).toBe(docs.length);
      });

      it(`of ${longList} documents are complete`, async () => {
        const ties = longList / 10;
        await put(numbered(longList, (i) => ({ org: 'o', seenAt: i % ties, tags: ['all'] })));
        const sort = { field: 'seenAt', direction: 'desc' } as const;
        const docs = await all({ where: { org: { eq: 'o' } }, sort, limit: 200 });
        expect(new Set(ids(docs)).size).toBe(longList);
        expect(docs.map((doc) => doc.seenAt)).toEqual(
          docs.map((doc) => doc.seenAt as number).sort((a, b) => b - a),
        );
        const tagged = await all({ where: { tags: { eq: 'all' } }, sort, limit: 200 });
        expect(ids(tagged)).toEqual(ids(docs));
        expect(await reads.count('devices', { org: { eq: 'o' }, tags: { prefix: 'a' } })).toBe(
          longList,
        );
      });

      it('can be skipped to', async () => {
        await put(numbered(10, (i) => ({ rank: i })));
        const sort = { field: 'rank', direction: 'asc' } as const;
        const page = await reads.find('devices', { where: {}, sort, skip: 4, limit: 3 });
        expect(ids(page.items)).toEqual(['k00004', 'k00005', 'k00006']);
        const rest = await reads.find('devices', {
          where: {},
          sort,
          limit: 9,
          cursor: page.nextCursor ?? '',
        });
        expect(ids(rest.items)).toEqual(['k00007', 'k00008', 'k00009']);
        const beyond = await reads.find('devices', { where: {}, sort, skip: 10, limit: 3 });
        expect(beyond).toEqual({ items: [], nextCursor: null });
      });

      it('end with the last document', async () => {
        await put(numbered(4, () => ({ org: 'o' })));
        const page = await reads.find('devices', { where: {}, limit: 4 });
        expect(page.nextCursor).toBeNull();
        expect((await reads.find('devices', { where: {}, limit: 3 })).nextCursor).not.toBeNull();
      });

      it.each([0, -1, 1.5, NaN])('of %p documents are a mistake', async (limit) => {
        await expect(reads.find('devices', { where: {}, limit })).rejects.toThrow('limit');
      });
    });

    describe('a cursor', () => {
      const question: Find = {
        where: { org: { eq: 'o' } },
        sort: { field: 'name', direction: 'asc' },
        limit: 2,
      };

      async function cursor(find: Find = question): Promise<string> {
        await put(numbered(9, (i) => ({ org: 'o', name: `n${i}`, rank: i })));
        const { nextCursor } = await reads.find('devices', find);
        return nextCursor ?? '';
      }

      it('goes on with another limit', async () => {
        const page = await reads.find('devices', { ...question, cursor: await cursor(), limit: 3 });
        expect(ids(page.items)).toEqual(['k00002', 'k00003', 'k00004']);
      });

      it('does not depend on the order in which conditions are written', async () => {
        const where = { org: { eq: 'o' }, rank: { gte: 0, lt: 9 } } as const;
        const again = { rank: { lt: 9, gte: 0 }, org: { eq: 'o' } } as const;
        const given = await cursor({ ...question, where });
        const page = await reads.find('devices', { ...question, where: again, cursor: given });
        expect(ids(page.items)).toEqual(['k00002', 'k00003']);
      });

      it('goes on although its document is gone', async () => {
        const given = await cursor();
        await put({ k00001: null });
        const page = await reads.find('devices', { ...question, cursor: given });
        expect(ids(page.items)).toEqual(['k00002', 'k00003']);
      });

      it.each<[string, Partial<Find>]>([
        ['other conditions', { where: { org: { eq: 'p' } } }],
        ['fewer conditions', { where: {} }],
        ['another sort', { sort: { field: 'seenAt', direction: 'asc' } }],
        ['another direction', { sort: { field: 'name', direction: 'desc' } }],
      ])('of a question with %s is refused', async (_, other) => {
        const given = await cursor();
        await expect(
          reads.find('devices', { ...question, ...other, cursor: given }),
        ).rejects.toThrow(InvalidCursor);
      });

      it('of another collection is refused', async () => {
        const given = await cursor();
        await store.open('others', 1, { ...DEVICES, name: 'others' });
        await expect(reads.find('others', { ...question, cursor: given })).rejects.toThrow(
          InvalidCursor,
        );
      });

      it('that was not given out is refused', async () => {
        const given = await cursor();
        const head = given.slice(0, 12);
        const made = (value: unknown) =>
          head + Buffer.from(JSON.stringify(value)).toString('base64url');
        const hostile = [
          '',
          ' ',
          'null',
          '%00',
          '{"$gt":""}',
          given.slice(0, -1),
          given.slice(1),
          `${given}A`,
          `${given}=`,
          `${given} `,
          given.toLowerCase(),
          head,
          made(null),
          made([]),
          made(['n1']),
          made(['n1', 1]),
          made(['n1', 'k', 'more']),
          made([{ $gt: '' }, 'k']),
          made([['n1'], 'k']),
          made({ value: 'n1', key: 'k' }),
          head + Buffer.from('[[[[').toString('base64url'),
          'A'.repeat(1_000_000),
          '😀'.repeat(1_000),
        ];
        for (const each of hostile) {
          await expect(reads.find('devices', { ...question, cursor: each })).rejects.toThrow(
            InvalidCursor,
          );
        }
      });

      it('does not go with a skip', async () => {
        const find = { ...question, cursor: await cursor(), skip: 1 };
        await expect(reads.find('devices', find)).rejects.toThrow('skip');
      });
    });
  });
}
