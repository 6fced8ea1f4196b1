import { footprint } from '../../src/events/footprint.js';

const many = <Of>(count: number, of: (n: number) => Of) =>
  Array.from({ length: count }, (_, n) => of(n));

describe('how much memory a JSON value takes', () => {
  /** Bytes of heap for each of many that `JSON.parse` made, by `node --expose-gc` 20 on 64 bits. */
  it.each<[string, unknown, number]>([
    ['empty objects', { a: many(1_000, () => ({})) }, 64_563],
    ['small objects', { samples: many(700, (t) => ({ t, v: t / 7 })) }, 45_977],
    ['a long text', { text: 'x'.repeat(16_000) }, 14_423],
    ['lists in lists', [[[[[[1]]]]]], 344],
    ['a long list of numbers', { a: many(1_000, (n) => n / 3) }, 7_464],
    ['many names', Object.fromEntries(many(900, (n) => [`k${n}`, n])), 49_356],
  ])('is about what V8 takes for it: %s', (_, value, measured) => {
    expect(footprint(value)).toBeGreaterThan(measured * 0.8);
    expect(footprint(value)).toBeLessThan(measured * 2.5);
  });

  it('is nothing of its own for what lies in its place', () => {
    expect([null, true, 7, undefined].map(footprint)).toEqual([0, 0, 0, 0]);
  });
});
