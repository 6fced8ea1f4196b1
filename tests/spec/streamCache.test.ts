import { createStreamCache } from '../../src/adapters/sqlite/streamCache.js';
import { REPEAT_WINDOW } from '../../src/events/eventStore.js';
import { eventId } from '../support/logEvents.js';

describe('what the writer remembers of streams', () => {
  it('is where an id may stand, within the repeat window and newest first', () => {
    const cache = createStreamCache(10);
    const stream = cache.add('a', 1, -1);
    for (let revision = 0; revision < 3 * REPEAT_WINDOW; revision++) {
      stream.revision = revision;
      cache.remember(stream, revision, eventId(revision));
    }
    const last = stream.revision;
    expect(cache.candidates(stream, eventId(last))).toEqual([last]);
    expect(cache.candidates(stream, eventId(last - REPEAT_WINDOW + 1))).toEqual([
      last - REPEAT_WINDOW + 1,
    ]);
    expect(cache.candidates(stream, eventId(last - REPEAT_WINDOW))).toEqual([]);
    cache.remember(stream, last - 5, eventId(last));
    expect(cache.candidates(stream, eventId(last))).toEqual([last, last - 5]);
  });

  it('says nothing of revisions whose ids it was never told', () => {
    const cache = createStreamCache(10);
    const stream = cache.add('a', 1, 7);
    expect(cache.candidates(stream, eventId(0))).toEqual([]);
    stream.revision = 8;
    cache.remember(stream, 8, eventId(8));
    expect(cache.candidates(stream, eventId(8))).toEqual([8]);
  });

  it('is kept apart for each stream, while old streams give way to new ones', () => {
    const cache = createStreamCache(3);
    for (let id = 0; id < 20; id++) {
      const stream = cache.add(`s-${id}`, id, 0);
      stream.rememberedFrom = 0;
      cache.remember(stream, 0, eventId(id));
      for (let old = Math.max(0, id - 2); old <= id; old++) {
        const kept = cache.get(`s-${old}`);
        expect(kept && cache.candidates(kept, eventId(old))).toEqual([0]);
        expect(kept && cache.candidates(kept, eventId(old + 1))).toEqual([]);
      }
      expect(cache.get(`s-${id - 3}`)).toBeUndefined();
    }
  });

  it('is forgotten altogether when it no longer holds', () => {
    const cache = createStreamCache(3);
    cache.add('a', 1, 5);
    cache.clear();
    expect(cache.get('a')).toBeUndefined();
    expect(cache.add('a', 1, 6).revision).toBe(6);
  });
});
