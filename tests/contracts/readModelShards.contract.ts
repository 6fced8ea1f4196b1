import { START } from '../../src/events/envelope.js';
import {
  GenerationDropped,
  WHOLE,
  type Doc,
  type Generation,
  type Parked,
  type ReadModels,
  type ReadModelStore,
  type Shard,
} from '../../src/projections/readModels.js';
import {
  DEVICES,
  at,
  withReadModels,
  type ReadModelsUnderTest,
  type Setup,
} from './readModels.fixture.js';

const batch = { writes: [], parked: [] };

const poison = (key: string, position: number): Parked => ({
  projection: 'devices',
  key,
  position: at(position),
  eventId: `event-${position}`,
  eventType: 'T',
  error: 'x',
  parkedAt: position,
});

/** How one projection is folded in shares, each with a checkpoint of its own. */
export function shardsContract(name: string, setup: Setup): void {
  describe(`shards of the read models, ${name}`, () => {
    let under: ReadModelsUnderTest;
    let store: ReadModelStore;
    let reads: ReadModels;
    let whole: Generation;
    const { commit } = withReadModels(setup, (opened) => {
      ({ under, store, reads, devices: whole } = opened);
    });

    const open = (shard: Shard, version = 1, from = store) =>
      from.open('devices', version, DEVICES, shard);

    const openAll = async (of: number, version = 1) => {
      const shards: Generation[] = [];
      for (let index = 0; index < of; index += 1) shards.push(await open({ index, of }, version));
      return shards as [Generation, Generation, ...Generation[]];
    };

    const write = (generation: Generation, key: string, position: number, doc: Doc | null) =>
      commit([{ key, doc, position: at(position) }], generation);

    it('have each a checkpoint of its own, and queries are told the least', async () => {
      const [first, second] = await openAll(2);
      expect([first.shard, second.shard]).toEqual([
        { index: 0, of: 2 },
        { index: 1, of: 2 },
      ]);
      await store.commit([{ ...batch, generation: first, checkpoint: at(7) }]);
      expect(await reads.checkpoint('devices')).toBe(START);
      await store.commit([{ ...batch, generation: second, checkpoint: at(5) }]);
      expect(await reads.checkpoint('devices')).toBe(5n);
      expect((await open({ index: 0, of: 2 })).checkpoint).toBe(7n);
      expect((await open({ index: 1, of: 2 }, 1, under.store())).checkpoint).toBe(5n);
      expect(await reads.checkpoint('devices')).toBe(5n);
    });

    it('fill one collection', async () => {
      const [first, second] = await openAll(2);
      expect(second).toEqual({ ...first, shard: { index: 1, of: 2 } });
      await write(first, 'a', 3, { id: 'a', org: 'o' });
      await write(second, 'b', 2, { id: 'b', org: 'o' });
      expect(await reads.count('devices', { org: { eq: 'o' } })).toBe(2);
      expect((await store.load(first, ['a', 'b'])).size).toBe(2);
    });

    it('move on in one commit', async () => {
      const [first, second] = await openAll(2);
      await store.commit([
        { ...batch, generation: first, checkpoint: at(4) },
        {
          generation: second,
          writes: [{ key: 'b', doc: { id: 'b' }, position: at(3) }],
          parked: [],
          checkpoint: at(4),
        },
      ]);
      expect(await reads.checkpoint('devices')).toBe(4n);
      expect(await reads.get('devices', 'b')).toEqual({ id: 'b' });
    });

    it('leave out a batch that was written before, whatever the others have reached', async () => {
      const [first] = await openAll(2);
      await write(first, 'a', 1, { id: 'a' });
      await write(first, 'a', 2, null);
      await write(first, 'a', 1, { id: 'a' });
      expect(await reads.get('devices', 'a')).toBeUndefined();
    });

    it('are as many as before when one is opened again by another process', async () => {
      const [first, second] = await openAll(2);
      await open({ index: 1, of: 2 }, 1, under.store());
      await write(first, 'a', 1, { id: 'a' });
      await write(second, 'b', 1, { id: 'b' });
      expect(await reads.checkpoint('devices')).toBe(1n);
    });

    describe('shared out anew', () => {
      it('go on from the least checkpoint that there was, and documents stay', async () => {
        await write(whole, 'a', 3, { id: 'a' });
        const [first, second] = await openAll(2);
        expect([first.checkpoint, second.checkpoint]).toEqual([3n, 3n]);
        expect([first.number, first.live]).toEqual([whole.number, true]);
        await write(first, 'a', 9, { id: 'a', name: 'later' });
        await write(second, 'b', 6, { id: 'b' });
        const [third, , fifth] = await openAll(3);
        expect([third.checkpoint, fifth?.checkpoint]).toEqual([6n, 6n]);
        expect(await reads.checkpoint('devices')).toBe(6n);
        expect(await open(WHOLE)).toEqual({ ...whole, checkpoint: 6n });
        // Folded again from there, the first shard's document is left as it is.
        await write(await open(WHOLE), 'a', 7, { id: 'a', name: 'again' });
        expect(await reads.get('devices', 'a')).toEqual({ id: 'a', name: 'later' });
      });

      it('tell whoever still holds one of those that were', async () => {
        const old = await openAll(2);
        await open({ index: 0, of: 3 }, 1, under.store());
        for (const generation of [whole, ...old]) {
          await expect(store.load(generation, ['a'])).rejects.toThrow(GenerationDropped);
          await expect(store.commit([{ ...batch, generation, checkpoint: at(9) }])).rejects.toThrow(
            GenerationDropped,
          );
          await expect(store.activate(generation)).rejects.toThrow(GenerationDropped);
          await expect(store.parkedKeys(generation)).rejects.toThrow(GenerationDropped);
        }
        expect(await reads.checkpoint('devices')).toBe(START);
      });

      it('are found by what they are now, although an old owner wrote in between', async () => {
        const doc = { id: 'a', name: 'x', org: 'o' };
        await write(whole, 'a', 1, doc);
        const [only] = await openAll(2);
        await store.commit([
          {
            ...batch,
            generation: only,
            writes: [{ key: 'a', doc: { ...doc, name: 'y' }, before: doc, position: at(2) }],
            checkpoint: at(2),
          },
        ]);
        expect(await reads.count('devices', { org: { eq: 'o' }, name: { eq: 'y' } })).toBe(1);
        expect(await reads.count('devices', { org: { eq: 'o' }, name: { eq: 'x' } })).toBe(0);
      });
    });

    describe('of a generation beside the live one', () => {
      it('are seen once all of them are ready, at once', async () => {
        await write(whole, 'old', 1, { id: 'old' });
        const [first, second] = await openAll(2, 2);
        expect([first.live, first.number]).toEqual([false, 2]);
        await write(first, 'a', 5, { id: 'a' });
        await write(second, 'b', 4, { id: 'b' });
        expect(await store.activate(first)).toBe(false);
        expect(await store.activate(first)).toBe(false);
        expect(await reads.get('devices', 'old')).toEqual({ id: 'old' });
        await write(whole, 'old', 2, { id: 'old', name: 'still folded' });
        expect(await under.store().activate(second)).toBe(true);
        expect(await reads.get('devices', 'old')).toBeUndefined();
        expect(await reads.count('devices', {})).toBe(2);
        expect(await reads.checkpoint('devices')).toBe(4n);
        expect(await store.activate(first)).toBe(true);
        expect(await open({ index: 0, of: 2 }, 2)).toEqual({
          ...first,
          live: true,
          checkpoint: 5n,
        });
        await expect(store.load(whole, ['old'])).rejects.toThrow(GenerationDropped);
      });

      it('stay ready when they are opened again', async () => {
        const [first, second] = await openAll(2, 2);
        await store.activate(first);
        const again = await open({ index: 0, of: 2 }, 2, under.store());
        expect(again.live).toBe(false);
        expect(await store.activate(second)).toBe(true);
      });

      it('are not ready any more once they are shared out anew', async () => {
        const [first] = await openAll(2, 2);
        await store.activate(first);
        const [one, two, three] = await openAll(3, 2);
        expect(await store.activate(one)).toBe(false);
        expect(await store.activate(two)).toBe(false);
        expect(three && (await store.activate(three))).toBe(true);
      });

      it('are many or few without a word to those of the live one', async () => {
        const [first, second] = await openAll(2);
        await open({ index: 0, of: 3 }, 2);
        await write(first, 'a', 1, { id: 'a' });
        await write(second, 'b', 1, { id: 'b' });
        expect(await reads.count('devices', {})).toBe(2);
      });

      it('once seen, may be called ready again, which takes nothing from a newer one', async () => {
        const [first, second] = await openAll(2, 2);
        await store.activate(first);
        await store.activate(second);
        const newer = await open({ index: 0, of: 2 }, 3);
        expect(await store.activate(first)).toBe(true);
        await write(newer, 'a', 1, { id: 'a' });
        expect((await store.load(newer, ['a'])).size).toBe(1);
      });
    });

    it('after a reset begin again, as many as they were', async () => {
      const [first, second] = await openAll(2);
      await write(first, 'a', 4, { id: 'a' });
      await store.reset();
      await expect(write(second, 'b', 5, { id: 'b' })).rejects.toThrow(GenerationDropped);
      expect(await open({ index: 0, of: 2 })).toEqual({ ...first, number: 2 });
      expect(await open({ index: 1, of: 2 })).toEqual({ ...second, number: 2 });
      expect(await reads.checkpoint('devices')).toBe(START);
      expect(await reads.count('devices', {})).toBe(0);
    });

    describe('park', () => {
      it('an event that several of them can not fold once', async () => {
        const [first, second] = await openAll(2);
        for (const generation of [first, second]) {
          await store.commit([
            { generation, writes: [], parked: [poison('stream', 3)], checkpoint: at(3) },
          ]);
        }
        expect(await store.parked('devices')).toEqual([poison('stream', 3)]);
        expect(await reads.parkedCount('devices')).toBe(1);
      });

      // What lies before a parked event is still to be folded by a shard that is not there yet.
      it('keys that a shard is told of once it has come as far', async () => {
        const [first, second] = await openAll(2);
        await store.commit([
          { generation: first, writes: [], parked: [poison('stream', 5)], checkpoint: at(9) },
        ]);
        expect(await store.parkedKeys(first)).toEqual(new Set(['stream']));
        expect(await store.parkedKeys(second)).toEqual(new Set());
        await store.commit([{ ...batch, generation: second, checkpoint: at(4) }]);
        expect(await store.parkedKeys(second)).toEqual(new Set());
        await store.commit([{ ...batch, generation: second, checkpoint: at(5) }]);
        expect(await store.parkedKeys(second)).toEqual(new Set(['stream']));
      });
    });
  });
}
