/** Latencies of any number in fixed memory. */
export interface LatencyHistogram {
  record(ms: number): void;
  /** The latency that the given part (0 to 1) of all were not above, in ms; 0 when there is none. */
  quantile(part: number): number;
  readonly max: number;
  readonly count: number;
}

/** Each doubling is cut into 128, so that a figure is at most 0.8% above the truth. */
const SUB_BITS = 7;
const SUB_BUCKETS = 2 ** SUB_BITS;
/** 2^32 µs, more than an hour. */
const DOUBLINGS = 32;

/** A log-linear histogram over microseconds, as HdrHistogram makes it. */
export function latencyHistogram(): LatencyHistogram {
  const counts = new Uint32Array((DOUBLINGS - SUB_BITS + 1) * SUB_BUCKETS);
  let count = 0;
  let max = 0;
  return {
    record: (ms) => {
      count += 1;
      if (ms > max) max = ms;
      const bucket = bucketOf(Math.max(0, Math.round(ms * 1_000)));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    },
    quantile: (part) => {
      const rank = Math.max(1, Math.ceil(part * count));
      let seen = 0;
      for (let bucket = 0; bucket < counts.length; bucket += 1) {
        seen += counts[bucket] ?? 0;
        if (seen >= rank && count > 0) return Math.min(max, highestOf(bucket) / 1_000);
      }
      return max;
    },
    get max() {
      return max;
    },
    get count() {
      return count;
    },
  };
}

/** Below 128 µs each value is a bucket; above, the top 8 bits choose it. */
function bucketOf(micros: number): number {
  const bounded = Math.min(micros, 2 ** DOUBLINGS - 1);
  const shift = Math.max(0, 31 - SUB_BITS - Math.clz32(bounded));
  return shift * SUB_BUCKETS + Math.floor(bounded / 2 ** shift);
}

/** The largest value, in µs, that falls into the bucket. */
function highestOf(bucket: number): number {
  const shift = Math.max(0, Math.floor(bucket / SUB_BUCKETS) - 1);
  return (bucket - shift * SUB_BUCKETS + 1) * 2 ** shift - 1;
}
