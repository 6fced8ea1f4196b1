import fc from 'fast-check';
import { redisCache } from '../../src/adapters/redis/cache.js';
import type { RedisLink } from '../../src/adapters/redis/link.js';
import { openLink, someRedis, withRedis } from '../support/redis.js';
import { play, steps } from './cacheWorld.js';

withRedis(() => {
  describe('two caches that share a Redis, whatever is written, asked, signalled, delayed, reordered or lost', () => {
    let redis: Awaited<ReturnType<typeof someRedis>>;
    let links: readonly RedisLink[];
    let runs = 0;
    beforeAll(async () => {
      redis = await someRedis();
      links = [await openLink(redis.url), await openLink(redis.url)];
    });
    afterAll(async () => {
      await Promise.all(links.map((link) => link.stop()));
      await redis.stop();
    });

    const bounds = { maxEntries: 2, maxSize: 10_000 };
    it.each([{ shards: 1 }, { shards: 2 }])(
      'answer nothing older than the same process answered before, or than its reader needs ($shards shards)',
      async ({ shards }) => {
        await fc.assert(
          fc.asyncProperty(steps, fc.boolean(), async (all, patient) => {
            const prefix = `test:${process.pid}:${shards}:${++runs}:`;
            const wrong = await play(
              all,
              { shards, processes: 2 },
              (parts, index) => {
                const link = links[index];
                if (link === undefined) throw new Error('there are two');
                // The links outlive a run.
                return redisCache({
                  ...parts,
                  bounds,
                  prefix: () => prefix,
                  link: { ...link, stop: async () => undefined },
                });
              },
              async () => {
                if (patient) await Promise.all(links.map((link) => link.client.ping()));
              },
            );
            expect(wrong).toEqual([]);
          }),
          { numRuns: 300 },
        );
      },
    );
  });
});
