import type { Options, Store } from 'express-rate-limit';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { redisCache } from '../../src/adapters/redis/cache.js';
import { redisLimitStore } from '../../src/adapters/redis/limitStore.js';
import { redisSignals } from '../../src/adapters/redis/signals.js';
import { redisLink, type RedisLink } from '../../src/adapters/redis/link.js';
import { systemRuntime } from '../../src/adapters/system/runtime.js';
import type { Position } from '../../src/events/envelope.js';
import type { Signal, Signals } from '../../src/projections/signals.js';
import { world, type World } from '../contracts/cache.fixture.js';
import { eventually } from '../support/eventually.js';
import { fakeRedis } from '../support/fakeRedis.js';
import {
  openLink,
  ownRedis,
  told,
  withOwnRedis,
  type OwnRedis,
  type Told,
} from '../support/redis.js';

/** What one question may take when Redis is silent: its deadline, and some for a busy machine. */
const ONCE_MS = 400;
/** What each takes after that: no wait, on a busy machine. */
const THEN_MS = 50;

async function took(what: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await what();
  return performance.now() - begun;
}

/** Asks things that no cache has, one by one: how long the longest took, the first beside. */
async function asked(given: World, name: string): Promise<{ first: number; worst: number }> {
  const first = await took(() => given.ask(`${name} 0`));
  let worst = 0;
  for (let index = 1; index <= 50; index++) {
    worst = Math.max(worst, await took(() => given.ask(`${name} ${index}`)));
  }
  return { first, worst };
}

function cacheOver(link: RedisLink, beside: Partial<World> = {}): World {
  return world((parts) => redisCache({ ...parts, link, prefix: () => 'test:' }), beside);
}

withOwnRedis(() => {
  describe('a cache whose Redis', () => {
    let redis: OwnRedis;
    let report: Told;
    let here: World;
    let there: World;

    beforeEach(async () => {
      redis = await ownRedis();
      report = told();
      here = cacheOver(await openLink(redis.url, report));
      const { things, signals, runtime } = here;
      there = cacheOver(await openLink(redis.url), { things, signals, runtime });
      await here.write('door');
    });
    afterEach(async () => {
      await Promise.all([here.cache.stop(), there.cache.stop()]);
      redis.thaw();
      await redis.kill();
    });

    /** Waits until what one process keeps is served to the other. */
    const shares = () => {
      let tries = 0;
      return eventually(async () => {
        const question = `shared ${++tries} at ${performance.now()}`;
        await here.write(question);
        await here.ask(question);
        return (await there.ask(question)).cached === 'hit' ? true : undefined;
      });
    };

    it('is killed goes on by itself, and shares again when it has come back empty', async () => {
      await shares();
      await here.ask('lamp');
      await redis.kill();
      await here.write('lamp');
      expect((await here.ask('lamp')).value?.at).toBe(here.things.read('lamp').at);
      const { first, worst } = await asked(here, 'killed');
      expect(first).toBeLessThan(ONCE_MS);
      expect(worst).toBeLessThan(THEN_MS);
      expect((await here.ask('killed 1')).cached).toBe('hit');

      await redis.start();
      await shares();
      expect((await there.ask('lamp')).value?.at).toBe(here.things.read('lamp').at);
      expect(report.lines.map((line) => line.replace(/:.*/, ''))).toEqual([
        'test away',
        'test back',
      ]);
    });

    it('stands still costs one slow question, and is used again when it goes on', async () => {
      await shares();
      redis.freeze();
      const { first, worst } = await asked(here, 'frozen');
      expect(first).toBeLessThan(ONCE_MS);
      expect(worst).toBeLessThan(THEN_MS);
      expect(report.lines).toHaveLength(1);
      redis.thaw();
      await shares();
      expect(report.lines).toHaveLength(2);
    });

    it('stood still while a thing was written serves no older state of it', async () => {
      await shares();
      await here.ask('lamp');
      redis.freeze();
      await here.write('lamp');
      expect((await there.ask('lamp')).value?.at).toBe(here.things.read('lamp').at);
      redis.thaw();
      await shares();
      expect((await there.ask('lamp')).value?.at).toBe(here.things.read('lamp').at);
      expect((await here.ask('lamp')).value?.at).toBe(here.things.read('lamp').at);
    });
  });

  describe('signals whose Redis is killed', () => {
    it('go on within a process, and between them once it is back', async () => {
      const redis = await ownRedis();
      const [here, there] = [1, 2].map(() =>
        redisSignals({
          settings: { url: redis.url },
          channel: 'test',
          runtime: systemRuntime,
          report: told(),
          local: createMemorySignals(),
        }),
      );
      if (here === undefined || there === undefined) throw new Error('both were just made');
      try {
        await travels(here, there);
        await redis.kill();
        await travels(here, here);
        await redis.start();
        await travels(here, there);
        await travels(there, here);
      } finally {
        await Promise.all([here.stop(), there.stop()]);
        await redis.kill();
      }
    });

    /** Sends until one arrives: the first may be lost. */
    async function travels(from: Signals, to: Signals): Promise<void> {
      const heard: Signal[] = [];
      const leave = to.listen((signal) => heard.push(signal));
      let position = 0n;
      await eventually(() => {
        from.publish({ kind: 'log', position: (position += 1n) as Position });
        return heard.length > 0 ? true : undefined;
      });
      leave();
    }
  });

  describe('limits counted in Redis', () => {
    let redis: OwnRedis;
    let links: RedisLink[];
    let here: Store;
    let there: Store;
    const hits = async (store: Store) => (await store.increment('ann')).totalHits;

    beforeEach(async () => {
      redis = await ownRedis();
      links = [await openLink(redis.url), await openLink(redis.url)];
      const stores = links.map((link) => redisLimitStore(link, 'test:device:'));
      for (const store of stores) void store.init?.({ windowMs: 60_000 } as Options);
      const [first, second] = stores;
      if (first === undefined || second === undefined) throw new Error('both were just made');
      here = first;
      there = second;
    });
    afterEach(async () => {
      await Promise.all(links.map((link) => link.stop()));
      await here.shutdown?.();
      await there.shutdown?.();
      redis.thaw();
      await redis.kill();
    });

    it('are counted for all processes together', async () => {
      expect([await hits(here), await hits(there), await hits(here)]).toEqual([1, 2, 3]);
    });

    it('are counted by each process while Redis is away, and together when it is back', async () => {
      await hits(here);
      await redis.kill();
      expect([await hits(here), await hits(here)]).toEqual([1, 2]);
      await redis.start();
      // The scripts were lost with everything else.
      await eventually(() => (links.every((link) => link.up()) ? true : undefined));
      expect([await hits(here), await hits(there)]).toEqual([1, 2]);
    });

    it('cost one slow request while Redis is silent', async () => {
      await hits(here);
      redis.freeze();
      expect(await took(() => hits(here))).toBeLessThan(ONCE_MS);
      for (let request = 0; request < 50; request++) {
        expect(await took(() => hits(here))).toBeLessThan(THEN_MS);
      }
    });
  });

  describe('a Redis that wants a password', () => {
    it('is away, with its reason, for whoever has another, and there for whoever has it', async () => {
      const redis = await ownRedis('--requirepass', 'sesame');
      const at = { host: '127.0.0.1', port: redis.port };
      const deps = { runtime: systemRuntime, report: told() };
      const wrong = redisLink('wrong', { ...deps, settings: { ...at, password: 'simsalabim' } });
      const right = redisLink('right', { ...deps, settings: { ...at, password: 'sesame' } });
      expect(await wrong.first).toMatch(/WRONGPASS|NOAUTH/);
      expect(await right.first).toBeUndefined();
      expect(deps.report.lines).toHaveLength(1);
      await Promise.all([wrong.stop(), right.stop()]);
      await redis.kill();
    });
  });
});

describe('what is no Redis', () => {
  it.each([
    ['answers an error to every command', '-ERR I would rather not\r\n'],
    ['answers that it is still loading', '-LOADING Redis is loading the dataset in memory\r\n'],
    ['answers nonsense', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['accepts and never answers', undefined],
  ])('and %s costs no question its time, and is told of once', async (_what, answer) => {
    const fake = await fakeRedis(answer);
    const report = told();
    const given = cacheOver(await openLink(fake.url, report));
    await given.write('door');
    const { first, worst } = await asked(given, 'fake');
    expect(first).toBeLessThan(ONCE_MS);
    expect(worst).toBeLessThan(THEN_MS);
    expect((await given.ask('fake 1')).cached).toBe('hit');
    expect(report.lines).toHaveLength(1);
    await given.cache.stop();
    await fake.stop();
  });
});
