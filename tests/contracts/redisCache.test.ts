import { redisCache, redisLayer } from '../../src/adapters/redis/cache.js';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { START, type Position } from '../../src/events/envelope.js';
import type { RedisLink } from '../../src/adapters/redis/link.js';
import type { Cache } from '../../src/queries/cache.js';
import { manualRuntime } from '../support/manualRuntime.js';
import { openLink, someRedis, withRedis } from '../support/redis.js';
import { cacheContract } from './cache.contract.js';
import { tagOf, things, TTL_MS, world, type CacheParts, type World } from './cache.fixture.js';

let prefixes = 0;
let questions = 0;
const freshPrefix = () => `test:${process.pid}:${++prefixes}:`;
const at = (position: number) => BigInt(position) as Position;

withRedis(() => {
  let redis: Awaited<ReturnType<typeof someRedis>>;
  beforeAll(async () => {
    redis = await someRedis();
  });
  afterAll(() => redis.stop());

  cacheContract('Redis', async () => {
    const link = await openLink(redis.url);
    const prefix = freshPrefix();
    return (parts: CacheParts): Cache => redisCache({ ...parts, link, prefix: () => prefix });
  });

  describe('two caches that share a Redis', () => {
    let link: RedisLink;
    let prefix: string;
    let here: World;
    let there: World;
    const opened: World[] = [];

    /** Another process: it has answers of its own, the same read model, and hears the same signals. */
    async function join(beside: Partial<World> = {}): Promise<World> {
      const own = await openLink(redis.url);
      const joined = world(
        (parts) => redisCache({ ...parts, link: own, prefix: () => prefix }),
        beside,
      );
      opened.push(joined);
      return joined;
    }

    beforeEach(async () => {
      prefix = freshPrefix();
      link = await openLink(redis.url);
      const common = { things: things(), signals: createMemorySignals(), runtime: manualRuntime() };
      here = await join(common);
      there = await join(common);
      await here.write('door');
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map(({ cache }) => cache.stop()));
      await link.stop();
    });

    /** Waits until what a process sends without waiting has arrived. */
    const settled = (process: World) => process.ask(`question ${++questions}`);

    it('load once for both', async () => {
      await here.ask('lamp');
      await settled(here);
      expect(await there.ask('lamp')).toEqual({ value: { title: 'lamp', at: 0 }, cached: 'hit' });
      expect(there.loads()).toBe(0);
    });

    it('both drop what has changed', async () => {
      await here.ask('lamp');
      await settled(here);
      await here.write('lamp');
      expect((await there.ask('lamp')).value?.at).toBe(2);
      await settled(there);
      expect(await here.ask('lamp')).toEqual({ value: { title: 'lamp', at: 2 }, cached: 'hit' });
    });

    it('serve a third that has just begun, if what is kept is as true as the store', async () => {
      await here.ask('lamp');
      await settled(here);
      const third = await join({ things: here.things });
      expect((await third.ask('lamp')).cached).toBe('hit');
      here.things.write('lamp');
      // Nobody was told, but this one has looked at the store.
      const fourth = await join({ things: here.things });
      expect(await fourth.ask('lamp')).toEqual({ value: { title: 'lamp', at: 2 }, cached: 'miss' });
    });

    it('serve nothing that was kept before a signal was lost to all', async () => {
      await here.ask('lamp');
      await settled(here);
      here.things.write('lamp');
      await here.write('door');
      const third = await join({ things: here.things });
      expect((await third.ask('lamp')).value?.at).toBe(2);
    });

    it('serve nothing whose tags were lost, as they are when Redis is short of memory', async () => {
      await here.ask('lamp');
      await settled(here);
      const epoch = await link.client.hget(`${prefix}at:things`, 'epoch');
      expect(await link.client.del(`${prefix}tag:${epoch ?? ''} ${tagOf('lamp')}`)).toBe(1);
      const third = await join({ things: here.things });
      expect((await third.ask('lamp')).cached).toBe('miss');
    });

    it('serve nothing after Redis has lost everything', async () => {
      await here.ask('lamp');
      await settled(here);
      await link.client.del(`${prefix}at:things`);
      const third = await join({ things: here.things });
      expect((await third.ask('lamp')).cached).toBe('miss');
      await here.write('door');
      await settled(here);
      await there.ask('gate');
      await settled(there);
      expect((await here.ask('gate')).cached).toBe('hit');
    });

    it('serve nothing that is not what was kept', async () => {
      await here.ask('lamp');
      await settled(here);
      await link.client.hset(`${prefix}answer:thing:lamp`, 'text', '{"title": ');
      const third = await join({ things: here.things });
      expect((await third.ask('lamp')).cached).toBe('miss');
    });

    it('keep nothing beside what was answered before Redis knew of any change', async () => {
      const fresh = freshPrefix();
      const layer = redisLayer(link, () => fresh, manualRuntime());
      const [key, reads] = ['thing:lamp', ['things']];
      const early = await layer.find(key, reads);
      const moved = { name: 'things', shard: { index: 0, of: 1 }, from: START, tags: [] };
      layer.record([moved], at(1));
      const found = await layer.find(key, reads);
      // Loaded late, it may be of a state that the other answer is not of yet.
      layer.keep(key, undefined, early);
      const asOf = new Map([['things', at(1)]]);
      layer.keep(key, { text: '{"at":1}', asOf, tags: {}, ttlMs: TTL_MS }, found);
      expect((await layer.find(key, reads)).answer).toBeUndefined();
      const again = await layer.find(key, reads);
      layer.keep(key, { text: '{"at":1}', asOf, tags: {}, ttlMs: TTL_MS }, again);
      expect((await layer.find(key, reads)).answer?.value).toEqual({ at: 1 });
    });

    it('keep an answer no longer than it may be kept', async () => {
      await here.ask('lamp');
      await settled(here);
      const left = await link.client.pttl(`${prefix}answer:thing:lamp`);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(TTL_MS);
    });

    it('know large positions from one another', async () => {
      const large = 9_007_199_254_740_993n as Position;
      const next = (large + 1n) as Position;
      await here.tell({ name: 'things', shard: { index: 0, of: 1 }, from: START, tags: [] }, large);
      await here.ask('lamp');
      await settled(here);
      const moved = { name: 'things', shard: { index: 0, of: 1 }, from: large };
      await here.tell({ ...moved, tags: [tagOf('lamp')] }, next);
      const third = await join({ things: here.things });
      expect((await third.ask('lamp', at(1))).cached).toBe('miss');
    });
  });
});
