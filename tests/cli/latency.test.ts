import fc from 'fast-check';
import { latencyHistogram } from '../../src/cli/simulate/latency.js';

describe('the latency histogram', () => {
  it('knows nothing at first', () => {
    const histogram = latencyHistogram();
    expect([histogram.quantile(0.5), histogram.max, histogram.count]).toEqual([0, 0, 0]);
  });

  it('gives the quantiles of a plain series', () => {
    const histogram = latencyHistogram();
    for (let ms = 1; ms <= 1_000; ms += 1) histogram.record(ms);
    expect(histogram.quantile(0.5) / 500).toBeCloseTo(1, 1);
    expect(histogram.quantile(0.99) / 990).toBeCloseTo(1, 1);
    expect(histogram.quantile(1)).toBe(1_000);
    expect(histogram.max).toBe(1_000);
  });

  it('is never below the true quantile, and at most 0.8% above it', () => {
    const latencies = fc.array(fc.integer({ min: 0, max: 3_000_000_000 }), { minLength: 1 });
    const parts = fc.double({ min: 0.001, max: 1, noNaN: true });
    fc.assert(
      fc.property(latencies, parts, (micros, part) => {
        const histogram = latencyHistogram();
        for (const value of micros) histogram.record(value / 1_000);
        const rank = Math.max(1, Math.ceil(part * micros.length));
        const exact = (micros.toSorted((a, b) => a - b)[rank - 1] ?? 0) / 1_000;
        const found = histogram.quantile(part);
        expect(found).toBeGreaterThanOrEqual(exact - 1e-9);
        expect(found).toBeLessThanOrEqual(exact * 1.008 + 1e-9);
      }),
    );
  });
});
