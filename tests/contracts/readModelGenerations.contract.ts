import { START } from '../../src/events/envelope.js';
import { StoreUnavailable } from '../../src/events/eventStore.js';
import {
  GenerationDropped,
  WHOLE,
  type Collection,
  type Generation,
  type Parked,
  type ReadModels,
  type ReadModelStore,
} from '../../src/projections/readModels.js';
import {
  DEVICES,
  at,
  ids,
  numbered,
  withReadModels,
  type ReadModelsUnderTest,
  type Setup,
} from './readModels.fixture.js';

/** How a collection is built anew beside the one that queries see, and what is kept of a generation. */
export function generationsContract(name: string, setup: Setup): void {
  describe(`generations of the read models, ${name}`, () => {
    let under: ReadModelsUnderTest;
    let store: ReadModelStore;
    let reads: ReadModels;
    let devices: Generation;
    const { commit, put, all, found } = withReadModels(setup, (opened) => {
      ({ under, store, reads, devices } = opened);
    });

    describe('a generation', () => {
      const WIDER: Collection = { ...DEVICES, indexes: [...DEVICES.indexes, { fields: ['site'] }] };

      it('of a projection that never ran is live and at the start', () => {
        expect(devices).toEqual({
          projection: 'devices',
          version: 1,
          number: 1,
          shard: WHOLE,
          live: true,
          checkpoint: START,
        });
      });

      it('of the live version is opened again as it was left', async () => {
        await put({ a: { id: 'a' } });
        const again = await under.store().open('devices', 1, DEVICES);
        expect(again).toEqual({ ...devices, checkpoint: 1n });
        expect((await store.load(again, ['a'])).size).toBe(1);
      });

      it('of another version is built beside the live one, unseen', async () => {
        await put({ a: { id: 'a', org: 'live' } });
        const next = await store.open('devices', 2, WIDER);
        expect(next).toEqual({ ...devices, version: 2, number: 2, live: false, checkpoint: START });
        await commit(
          [{ key: 'a', doc: { id: 'a', org: 'next', site: 's' }, position: at(9) }],
          next,
        );
        await commit([{ key: 'b', doc: { id: 'b', org: 'next' }, position: at(10) }], next);
        expect(await reads.get('devices', 'a')).toEqual({ id: 'a', org: 'live' });
        expect(await found({})).toEqual(['a']);
        expect(await reads.checkpoint('devices')).toBe(1n);
        expect((await store.load(next, ['a'])).get('a')?.position).toBe(9n);
      });

      it('that was begun is gone on with', async () => {
        const next = await store.open('devices', 2, WIDER);
        await commit([{ key: 'a', doc: { id: 'a' }, position: at(5) }], next);
        const again = await under.store().open('devices', 2, WIDER);
        expect(again).toEqual({ ...next, checkpoint: 5n });
        const third = await store.open('devices', 3, WIDER);
        expect(third).toMatchObject({ number: 3, live: false });
      });

      it('takes the place of the live one when it is activated, and the others are gone', async () => {
        await put({ a: { id: 'a' } });
        const given = await reads.find('devices', { where: {}, limit: 1 });
        expect(given.items).toHaveLength(1);
        const next = await store.open('devices', 2, WIDER);
        await commit([{ key: 'b', doc: { id: 'b', site: 's' }, position: at(7) }], next);
        await store.activate(next);
        expect(await reads.get('devices', 'a')).toBeUndefined();
        expect(await found({ site: { eq: 's' } })).toEqual(['b']);
        expect(await reads.checkpoint('devices')).toBe(7n);
        expect(await store.open('devices', 2, WIDER)).toEqual({
          ...next,
          live: true,
          checkpoint: 7n,
        });
        await expect(store.load(devices, ['a'])).rejects.toThrow(GenerationDropped);
        await expect(commit([{ key: 'a', doc: null, position: at(8) }])).rejects.toThrow(
          GenerationDropped,
        );
        await expect(store.activate(devices)).rejects.toThrow(GenerationDropped);
      });

      it('may be activated twice', async () => {
        const next = await store.open('devices', 2, DEVICES);
        await store.activate(next);
        await store.activate(next);
        expect(await store.open('devices', 2, DEVICES)).toMatchObject({ number: 2, live: true });
      });

      it('changes under readers without an error or a mixture', async () => {
        let current = devices;
        await commit(
          Object.entries(numbered(50, () => ({ org: '1' }))).map(([key, doc]) => ({
            key,
            doc,
            position: at(1),
          })),
          current,
        );
        let done = false;
        const ask = async () => {
          while (!done) {
            const [page, one, count] = await Promise.all([
              reads.find('devices', { where: {}, limit: 200 }),
              reads.get('devices', 'k00000'),
              reads.count('devices', {}),
            ]);
            expect(new Set(page.items.map((doc) => doc.org)).size).toBe(1);
            expect(page.items).toHaveLength(50);
            expect(one).toBeDefined();
            expect(count).toBe(50);
          }
        };
        const asking = [ask(), ask()];
        for (let version = 2; version < 8; version++) {
          current = await under.store().open('devices', version, DEVICES);
          await commit(
            Object.entries(numbered(50, () => ({ org: String(version) }))).map(([key, doc]) => ({
              key,
              doc,
              position: at(version),
            })),
            current,
          );
          await store.activate(current);
          await reads.count('devices', {});
        }
        done = true;
        await Promise.all(asking);
        expect(await reads.get('devices', 'k00000')).toEqual({ id: 'k00000', org: '7' });
      });

      it('takes another index over the same fields without being built again', async () => {
        await put({ a: { id: 'a', org: 'o', rank: 1, name: 'n' } });
        const more = {
          ...DEVICES,
          indexes: [...DEVICES.indexes, { fields: ['org', 'rank', 'name'] }],
        };
        const again = await store.open('devices', 1, more);
        expect(again).toEqual({ ...devices, checkpoint: 1n });
        const sort = { field: 'name', direction: 'asc' } as const;
        const where = { org: { eq: 'o' }, rank: { eq: 1 } };
        expect(ids(await all({ where, sort, limit: 1 }))).toEqual(['a']);
        expect(await store.open('devices', 1, DEVICES)).toEqual(again);
        expect(ids(await all({ where, sort, limit: 1 }))).toEqual(['a']);
      });

      it('is built again when an index names another field', async () => {
        await put({ a: { id: 'a', site: 's' } });
        const next = await store.open('devices', 1, WIDER);
        expect(next).toMatchObject({ number: 2, live: false, checkpoint: START });
        expect(await store.open('devices', 1, WIDER)).toEqual(next);
        await expect(reads.count('devices', { site: { eq: 's' } })).rejects.toThrow('site');
      });

      it('has a collection that no other projection fills', async () => {
        await expect(store.open('impostor', 1, DEVICES)).rejects.toThrow('devices');
      });

      it.each([
        '',
        'a b',
        'a"b',
        "a'b",
        'a.b',
        '$a',
        'a;--',
        '1a',
        'ä',
        'x'.repeat(64),
        '__proto__',
      ])('refuses the name %j for a collection or a field', async (bad) => {
        await expect(store.open('p', 1, { name: bad, indexes: [] })).rejects.toThrow('name');
        const indexes = [{ fields: ['ok', bad] }];
        await expect(store.open('p', 1, { name: 'ok', indexes })).rejects.toThrow('name');
      });
    });

    describe('a reset', () => {
      it('leaves each projection an empty live generation, which readers see at once', async () => {
        const users = await store.open('users', 3, { name: 'users', indexes: [] });
        await commit([{ key: 'u', doc: { id: 'u' }, position: at(4) }], users);
        await put({ a: { id: 'a', tags: ['t'] } });
        expect(await found({ tags: { eq: 't' } })).toEqual(['a']);
        await store.reset();
        expect(await reads.get('devices', 'a')).toBeUndefined();
        expect(await reads.get('users', 'u')).toBeUndefined();
        expect(await found({ tags: { eq: 't' } })).toEqual([]);
        expect(await reads.count('devices', {})).toBe(0);
        expect(await reads.checkpoint('devices')).toBe(START);
        expect(await reads.checkpoint('users')).toBe(START);
        expect(await store.open('users', 3, { name: 'users', indexes: [] })).toEqual({
          ...users,
          number: 2,
        });
      });

      it('is begun anew from there', async () => {
        await put({ a: { id: 'a', org: 'before' }, b: { id: 'b' } });
        await store.reset();
        const again = await under.store().open('devices', 1, DEVICES);
        expect(again).toEqual({ ...devices, number: 2 });
        await commit([{ key: 'a', doc: { id: 'a', org: 'after' }, position: at(1) }], again);
        expect(await found({ org: { eq: 'after' } })).toEqual(['a']);
        expect(await found({})).toEqual(['a']);
      });

      it('takes what was being built beside the live one with it', async () => {
        const next = await store.open('devices', 2, DEVICES);
        await store.reset();
        await expect(store.load(next, ['a'])).rejects.toThrow(GenerationDropped);
        const later = await store.open('devices', 2, DEVICES);
        expect(later).toMatchObject({ live: false, checkpoint: START });
        expect(later.number).toBeGreaterThan(next.number);
      });

      it('tells a writer that holds an old generation, also after a second one', async () => {
        const behind = under.store();
        const old = await behind.open('devices', 1, DEVICES);
        await store.reset();
        const batch = { writes: [], parked: [], checkpoint: at(9) };
        await expect(behind.commit([{ ...batch, generation: old }])).rejects.toThrow(
          GenerationDropped,
        );
        const renewed = await behind.open('devices', 1, DEVICES);
        await store.reset();
        await expect(behind.commit([{ ...batch, generation: renewed }])).rejects.toThrow(
          GenerationDropped,
        );
        expect(await reads.checkpoint('devices')).toBe(START);
      });

      it('forgets what was parked', async () => {
        const poison: Parked = {
          projection: 'devices',
          key: 'a',
          position: at(1),
          eventId: 'e',
          eventType: 'T',
          error: 'x',
          parkedAt: 1,
        };
        await store.commit([
          { generation: devices, writes: [], parked: [poison], checkpoint: at(1) },
        ]);
        await store.reset();
        expect(await store.parked('devices')).toEqual([]);
        expect(await reads.parkedCount('devices')).toBe(0);
      });

      it('of a store that nothing was opened in does nothing', async () => {
        await store.reset();
        await store.reset();
        expect(await reads.count('nothing', {})).toBe(0);
      });
    });

    describe('parked events', () => {
      const event = (key: string, position: number): Parked => ({
        projection: 'devices',
        key,
        position: at(position),
        eventId: `event-${position}`,
        eventType: 'DeviceRenamed',
        error: `can't fold "${key}"`,
        parkedAt: 1_700_000_000_000 + position,
      });

      async function park(generation: Generation, ...events: Parked[]): Promise<void> {
        await store.commit([{ generation, writes: [], parked: events, checkpoint: at(100) }]);
      }

      it('are listed in their order, each once', async () => {
        expect(await store.parked('devices')).toEqual([]);
        expect(await store.parkedKeys(devices)).toEqual(new Set());
        await park(devices, event('b', 2), event('a', 3), event('a', 2));
        await park(devices, { ...event('b', 2), error: 'again', parkedAt: 1 });
        expect(await store.parked('devices')).toEqual([
          event('a', 2),
          event('b', 2),
          event('a', 3),
        ]);
        expect(await store.parkedKeys(devices)).toEqual(new Set(['a', 'b']));
        expect(await reads.parkedCount('devices')).toBe(3);
      });

      it('belong to their generation', async () => {
        await park(devices, event('a', 1));
        const next = await store.open('devices', 2, DEVICES);
        expect(await store.parkedKeys(next)).toEqual(new Set());
        await park(next, event('b', 2));
        expect(await store.parked('devices')).toEqual([event('a', 1)]);
        await store.activate(next);
        expect(await store.parked('devices')).toEqual([event('b', 2)]);
        expect(await reads.parkedCount('devices')).toBe(1);
        expect(await reads.parkedCount('nothing')).toBe(0);
      });
    });

    it('answers nothing once it is stopped', async () => {
      await store.stop();
      await reads.stop();
      const stopped = { name: StoreUnavailable.name, reason: 'stopped' };
      await expect(store.open('x', 1, DEVICES)).rejects.toMatchObject(stopped);
      await expect(store.load(devices, ['a'])).rejects.toMatchObject(stopped);
      await expect(store.commit([])).rejects.toMatchObject(stopped);
      await expect(store.parked('devices')).rejects.toMatchObject(stopped);
      await expect(store.reset()).rejects.toMatchObject(stopped);
      await expect(reads.get('devices', 'a')).rejects.toMatchObject(stopped);
      await expect(reads.find('devices', { where: {}, limit: 1 })).rejects.toMatchObject(stopped);
      await expect(reads.count('devices', {})).rejects.toMatchObject(stopped);
      await expect(reads.checkpoint('devices')).rejects.toMatchObject(stopped);
      await store.stop();
      await reads.stop();
    });
  });
}
