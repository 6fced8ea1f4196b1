import fc from 'fast-check';
import { NO_NUMBERS, summariesOf, withNumbers } from '../../src/projections/numbers.js';
import { MAX_NAMES, OTHER, type Summary } from '../../src/projections/summary.js';

const name = fc.constantFrom('load', 'heat', 'constructor', 'toString', 'rssi');
const records = fc.array(
  fc.option(fc.dictionary(name, fc.double({ noNaN: true, min: -1e6, max: 1e6 })), {
    nil: undefined,
  }),
);

function plainly(all: readonly (Readonly<Record<string, number>> | undefined)[]) {
  const summaries = new Map<string, Summary>();
  for (const [of, value] of all.flatMap((record) => Object.entries(record ?? {}))) {
    const { count = 0, sum = 0, min = value, max = value } = summaries.get(of) ?? {};
    summaries.set(of, {
      count: count + 1,
      sum: sum + value,
      min: Math.min(min, value),
      max: Math.max(max, value),
    });
  }
  return Object.fromEntries(summaries);
}

describe('numbers side by side', () => {
  it('are what an object for each would say, however they are taken in', () => {
    fc.assert(
      fc.property(records, records, (first, second) => {
        const known = withNumbers(NO_NUMBERS, first);
        const before = JSON.stringify(known);
        const all = summariesOf(withNumbers(known, second));
        expect(all).toEqual(plainly([...first, ...second]));
        expect(JSON.stringify(known)).toBe(before);
      }),
    );
  });

  it(`are ${MAX_NAMES} at most, and the others together`, () => {
    const record = Object.fromEntries(
      Array.from({ length: MAX_NAMES + 5 }, (_, nth) => [`metric-${nth}`, nth]),
    );
    const numbers = withNumbers(withNumbers(NO_NUMBERS, [record]), [record]);
    expect(numbers.names).toHaveLength(MAX_NAMES + 1);
    const { [OTHER]: other, 'metric-0': first } = summariesOf(numbers);
    expect(other).toEqual({ count: 10, sum: 1020, min: 100, max: 104 });
    expect(first).toEqual({ count: 2, sum: 0, min: 0, max: 0 });
  });
});
