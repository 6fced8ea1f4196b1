import fc from 'fast-check';
import { memoryCache } from '../../src/adapters/memory/cache.js';
import { play, steps } from './cacheWorld.js';

describe('a cache, whatever is written, asked, signalled, delayed, reordered or lost', () => {
  it.each([{ shards: 1 }, { shards: 2 }])(
    'answers nothing older than was answered before, or than its reader needs ($shards shards)',
    async ({ shards }) => {
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          // Room for two of three keys: some answers are given up early.
          const bounds = { maxEntries: 2, maxSize: 10_000 };
          const wrong = await play(all, { shards, processes: 1 }, (parts) =>
            memoryCache({ ...parts, bounds }),
          );
          expect(wrong).toEqual([]);
        }),
        { numRuns: 3_000 },
      );
    },
  );
});
