import type { Leases } from '../../src/projections/leases.js';
import { shares, sharesOf } from '../../src/projections/shares.js';
import { tally } from './running.js';

const SHARDS = 16;

describe('what a process holds where leases are kept far away', () => {
  // Renewed one after the other they ran out before the last was renewed, under load on a slow MongoDB, and
  // two processes took everything from each other for ever.
  it('is taken and renewed all at once', async () => {
    const waiting: (() => void)[] = [];
    const leases: Leases = {
      async acquire(name, holder) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return { name, holder, token: 1 };
      },
      release: () => Promise.resolve(),
      held: (name) => Promise.resolve([{ name, holder: 'me', token: 1 }]),
    };
    const own = shares(leases, 'me', sharesOf([tally()], SHARDS));

    /** Lets all that wait go on, again and again. @returns how often that took */
    async function trips(work: Promise<unknown>): Promise<number> {
      let [count, done] = [0, false];
      const over = work.finally(() => (done = true));
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (done) break;
        count += 1;
        for (const go of waiting.splice(0)) go();
      }
      await over;
      return count;
    }

    // Being there, then all that is free; and from then on being there and all that is held.
    expect(await trips(own.beat())).toBe(2);
    expect(await trips(own.beat())).toBe(1);
    const again = own.beat();
    await trips(again);
    expect((await again).held).toHaveLength(SHARDS);
  });
});
