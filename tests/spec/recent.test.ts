import fc from 'fast-check';
import { recent } from '../../src/projections/recent.js';

describe('what was put in lately', () => {
  it('is there as long as not more than so many others came after it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(12)), (most, keys) => {
        const values = recent<number>(most);
        keys.forEach((key, nth) => {
          values.set(String(key), nth);
          const since = new Set<number>();
          for (let back = nth; back >= 0 && since.size < most; back--) {
            const one = keys[back] ?? -1;
            if (!since.has(one)) expect(values.get(String(one))).toBe(back);
            since.add(one);
          }
        });
        const held = new Set(keys).size;
        const known = [...new Set(keys)].filter((key) => values.get(String(key)) !== undefined);
        expect(known.length).toBeLessThanOrEqual(Math.min(held, 2 * most));
      }),
    );
  });
});
