import { summariesOf, type Numbers } from '../projections/numbers.js';
import type { ReadModels } from '../projections/readModels.js';
import { merge, own, type Summary } from '../projections/summary.js';
import { bucketStart, DAY_MS, HOUR_MS, usageKey, type UsageDoc } from '../projections/usage.js';

export type Range = '24h' | '7d' | '30d';

const RANGES = {
  '24h': { collection: 'usage_hours', size: HOUR_MS, buckets: 24 },
  '7d': { collection: 'usage_days', size: DAY_MS, buckets: 7 },
  '30d': { collection: 'usage_days', size: DAY_MS, buckets: 30 },
} as const;

export interface Bucket {
  readonly start: number;
  readonly total: number;
  readonly heartbeats: number;
  readonly metrics: Readonly<Record<string, Summary>>;
  readonly events: UsageDoc['events'];
}

export interface DeviceUsage {
  /** The first millisecond that is counted; the last is now. */
  readonly from: number;
  readonly bucketMs: number;
  readonly total: Omit<Bucket, 'start'>;
  /** Oldest first, those in which nothing was reported left out. */
  readonly buckets: readonly Bucket[];
}

/**
 * What a device reported over a range that ends with the current bucket: 24 hours of UTC, or 7 or 30
 * days of UTC. Reads as many documents as there are buckets.
 */
export function deviceUsage(reads: ReadModels) {
  return async (deviceId: string, range: Range, now: number): Promise<DeviceUsage> => {
    const { collection, size, buckets } = RANGES[range];
    const from = bucketStart(now, size) - (buckets - 1) * size;
    const keys = Array.from({ length: buckets }, (_, index) =>
      usageKey(deviceId, from + index * size),
    );
    const docs = await reads.getMany<UsageDoc>(collection, keys);
    const found = keys.flatMap((key) => docs.get(key) ?? []).map(bucketOf);
    return {
      from,
      bucketMs: size,
      total: found.reduce(added, { total: 0, heartbeats: 0, metrics: {}, events: {} }),
      buckets: found,
    };
  };
}

function bucketOf({ start, total, heartbeats, metrics, events }: UsageDoc): Bucket {
  return { start, total, heartbeats, metrics: byName(metrics), events };
}

/** After an upgrade documents of version 1, with an object for each metric, answer until those of version 2 are built. */
function byName(metrics: Numbers | Bucket['metrics']): Bucket['metrics'] {
  return isNumbers(metrics) ? summariesOf(metrics) : metrics;
}

function isNumbers(metrics: Numbers | Bucket['metrics']): metrics is Numbers {
  return Array.isArray(metrics.names);
}

function added(sum: DeviceUsage['total'], bucket: Bucket): DeviceUsage['total'] {
  const metrics = { ...sum.metrics };
  for (const [name, summary] of Object.entries(bucket.metrics)) {
    metrics[name] = merge(own(metrics, name), summary);
  }
  const events = { ...sum.events };
  for (const [name, { count, value }] of Object.entries(bucket.events)) {
    const before = own(events, name);
    const summary = value === undefined ? before?.value : merge(before?.value, value);
    events[name] = { count: (before?.count ?? 0) + count, ...(summary && { value: summary }) };
  }
  return {
    total: sum.total + bucket.total,
    heartbeats: sum.heartbeats + bucket.heartbeats,
    metrics,
    events,
  };
}
