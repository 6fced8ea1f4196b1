import type { Position } from '../../src/events/envelope.js';
import type { Cache } from '../../src/queries/cache.js';
import { held, TTL_MS, world, type CacheParts, type Shown, type World } from './cache.fixture.js';

const at = (position: number) => BigInt(position) as Position;

/** What every adapter of the Cache port keeps. */
export function cacheContract(
  name: string,
  setup: () => Promise<(parts: CacheParts) => Cache>,
): void {
  describe(`a cache in ${name}`, () => {
    let given: World;
    beforeEach(async () => {
      given = world(await setup());
    });
    afterEach(() => given.cache.stop());

    it('asks the read model once for what is asked twice', async () => {
      await given.write('lamp');
      expect(await given.ask('lamp')).toEqual({ value: { title: 'lamp', at: 1 }, cached: 'miss' });
      expect(await given.ask('lamp')).toEqual({ value: { title: 'lamp', at: 1 }, cached: 'hit' });
      expect(given.loads()).toBe(1);
    });

    it('asks again once what was answered has changed, and not when something else has', async () => {
      await given.ask('lamp');
      await given.write('lamp');
      expect(await given.ask('lamp')).toEqual({ value: { title: 'lamp', at: 1 }, cached: 'miss' });
      await given.write('door');
      expect((await given.ask('lamp')).cached).toBe('hit');
    });

    it('asks again when everything may have changed', async () => {
      await given.ask('lamp');
      await given.tell({ ...given.things.write('door'), tags: 'all' });
      expect((await given.ask('lamp')).cached).toBe('miss');
    });

    it('asks again after a signal that was lost, as soon as the next one comes', async () => {
      await given.write('door');
      await given.ask('lamp');
      given.things.write('lamp');
      await given.write('door');
      expect((await given.ask('lamp')).value?.at).toBe(2);
    });

    it('asks again within a second of a signal that was lost, if none follows', async () => {
      await given.write('door');
      await given.ask('lamp');
      given.things.write('lamp');
      await given.runtime.advance(1_000);
      expect((await given.ask('lamp')).value?.at).toBe(2);
    });

    it('asks again when the projection has begun anew', async () => {
      await given.write('lamp');
      await given.write('lamp');
      await given.ask('lamp');
      Object.assign(given.things, { checkpoint: () => at(1) });
      await given.runtime.advance(500);
      expect((await given.ask('lamp')).cached).toBe('miss');
    });

    it('keeps an answer for as long as it may be kept, and no longer', async () => {
      await given.ask('lamp');
      await given.runtime.advance(TTL_MS - 1);
      expect((await given.ask('lamp')).cached).toBe('hit');
      await given.runtime.advance(2);
      expect((await given.ask('lamp')).cached).toBe('miss');
    });

    it('does not keep an answer that was made untrue while it was loaded', async () => {
      const slow = held<Shown>();
      const asked = given.ask('lamp', undefined, slow.load);
      await given.runtime.yield();
      await given.write('lamp');
      slow.give({ title: 'lamp', at: 0 });
      expect((await asked).value?.at).toBe(0);
      expect(await given.ask('lamp')).toEqual({ value: { title: 'lamp', at: 1 }, cached: 'miss' });
    });

    it('keeps an answer that was loaded while something else changed', async () => {
      const slow = held<Shown>();
      const asked = given.ask('lamp', undefined, slow.load);
      await given.runtime.yield();
      await given.write('door');
      slow.give({ title: 'lamp', at: 0 });
      await asked;
      expect((await given.ask('lamp')).cached).toBe('hit');
    });

    it('loads once for all who ask at one time', async () => {
      const slow = held<Shown>();
      const asked = [1, 2, 3].map(() => given.ask('lamp', undefined, slow.load));
      await given.runtime.yield();
      slow.give({ title: 'lamp', at: 0 });
      expect((await Promise.all(asked)).map(({ value }) => value?.at)).toEqual([0, 0, 0]);
      expect(given.loads()).toBe(1);
    });

    it('shows a reader what they need, though the signal has not come', async () => {
      await given.ask('lamp');
      given.things.write('lamp');
      expect((await given.ask('lamp', at(1))).value?.at).toBe(1);
      // And nobody is shown the older answer after that.
      expect((await given.ask('lamp')).value?.at).toBe(1);
    });

    it('lets no reader join a load that began before what they need was there', async () => {
      const slow = held<Shown>();
      const early = given.ask('lamp', undefined, slow.load);
      await given.runtime.yield();
      await given.write('lamp');
      expect((await given.ask('lamp', at(1))).value?.at).toBe(1);
      slow.give({ title: 'lamp', at: 0 });
      expect((await early).value?.at).toBe(0);
      expect((await given.ask('lamp')).value?.at).toBe(1);
    });

    it('keeps neither of two answers that were loaded at one time, when the first to come may be the later', async () => {
      const first = held<Shown>();
      const second = held<Shown>();
      const early = given.ask('lamp', undefined, first.load);
      await given.runtime.yield();
      await given.write('lamp');
      const late = given.ask('lamp', at(1), second.load);
      await given.runtime.yield();
      given.things.write('lamp');
      first.give({ title: 'lamp', at: 2 });
      expect((await early).value?.at).toBe(2);
      second.give({ title: 'lamp', at: 1 });
      await late;
      expect((await given.ask('lamp')).value?.at).toBe(2);
    });

    it('serves a reader from what is kept once the signals have come as far as they need', async () => {
      await given.ask('lamp');
      await given.write('door');
      expect((await given.ask('lamp', at(1))).cached).toBe('hit');
    });

    it('keeps nothing where there is nothing', async () => {
      expect((await given.ask('lamp', undefined, async () => undefined)).value).toBeUndefined();
      expect((await given.ask('lamp')).cached).toBe('miss');
    });

    it('passes on what a load throws, and loads again for the next', async () => {
      const broken = new Error('broken');
      await expect(given.ask('lamp', undefined, () => Promise.reject(broken))).rejects.toBe(broken);
      expect((await given.ask('lamp')).value?.at).toBe(0);
    });

    it('is as far as the last of several shards', async () => {
      const shard = (index: number) => ({ index, of: 2 });
      await given.tell({ name: 'things', shard: shard(0), from: at(0), tags: [] }, at(0));
      await given.ask('lamp');
      const moved = given.things.write('door');
      await given.tell({ ...moved, shard: shard(0) });
      // The other shard may have written the lamp at the same place.
      expect((await given.ask('lamp', at(1))).cached).toBe('miss');
      given.things.write('lamp');
      await given.tell(
        { name: 'things', shard: shard(1), from: at(0), tags: ['things/lamp'] },
        at(2),
      );
      expect((await given.ask('lamp')).value?.at).toBe(2);
    });
  });
}
