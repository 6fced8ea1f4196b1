import { memoryCache } from '../../src/adapters/memory/cache.js';
import { cacheContract } from './cache.contract.js';
import { world } from './cache.fixture.js';

cacheContract('memory', async () => memoryCache);

describe('a cache in memory', () => {
  it('holds no more than it may, and gives up what was not used for longest', async () => {
    const given = world((parts) =>
      memoryCache({ ...parts, bounds: { maxEntries: 2, maxSize: 10_000 } }),
    );
    await given.ask('lamp');
    await given.ask('door');
    await given.ask('lamp');
    await given.ask('gate');
    expect((await given.ask('lamp')).cached).toBe('hit');
    expect((await given.ask('door')).cached).toBe('miss');
    await given.cache.stop();
  });

  it('does not hold an answer that is larger than all that it may hold', async () => {
    const given = world((parts) =>
      memoryCache({ ...parts, bounds: { maxEntries: 10, maxSize: 100 } }),
    );
    const large = async () => ({ title: 'x'.repeat(200), at: 0 });
    await given.ask('lamp', undefined, large);
    expect((await given.ask('lamp', undefined, large)).cached).toBe('miss');
    await given.cache.stop();
  });
});
