import { projection, scopeTags, type Projection, type Told } from './projection.js';
import type { Collection } from './readModels.js';
import { NO_NUMBERS, withNumbers, type Numbers } from './numbers.js';
import { boundedName, include, own, type Summary } from './summary.js';

/** What one device reported in one hour or one day (UTC). */
export type UsageDoc = Readonly<{
  deviceId: string;
  organizationId: string;
  /** The bucket's first millisecond. */
  start: number;
  /** All heartbeats and log lines. */
  total: number;
  /** Grows with `total`, but only every tenth or so: what an index can hold without being rewritten by every event. */
  rank: number;
  heartbeats: number;
  metrics: Numbers;
  /** Log lines by event name. `value` summarises those that carried a number. */
  events: Readonly<Record<string, Readonly<{ count: number; value?: Summary }>>>;
}>;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** The first millisecond of the bucket that `time` falls into. */
export function bucketStart(time: number, size: number): number {
  return time - (time % size);
}

/** The key of a device's bucket. */
export function usageKey(deviceId: string, start: number): string {
  return `${deviceId}:${start}`;
}

type Heartbeat = Extract<Told, { type: 'HeartbeatRecorded' }>;
type Log = Extract<Told, { type: 'LogRecorded' }>;

function usage(
  name: string,
  size: number,
  more: Pick<Projection<UsageDoc>, 'tags'> & { readonly indexes: Collection['indexes'] },
) {
  const start = (event: Heartbeat | Log) => bucketStart(event.data.at, size);
  const key = (event: Heartbeat | Log) => usageKey(event.data.deviceId, start(event));
  const empty = (event: Heartbeat | Log): UsageDoc => ({
    deviceId: event.data.deviceId,
    organizationId: event.data.organizationId,
    start: start(event),
    total: 0,
    rank: 0,
    heartbeats: 0,
    metrics: NO_NUMBERS,
    events: {},
  });

  return projection<UsageDoc>({
    name,
    version: 2,
    collection: { name: name.replace('-', '_'), indexes: more.indexes },
    ...(more.tags && { tags: more.tags }),
    on: {
      HeartbeatRecorded: {
        key,
        foldAll: (known, events) => {
          const doc = known ?? empty(events[0]);
          const metrics = withNumbers(
            doc.metrics,
            events.map(({ data }) => data.metrics),
          );
          const { length } = events;
          return { ...doc, ...grown(doc, length), heartbeats: doc.heartbeats + length, metrics };
        },
      },
      LogRecorded: {
        key,
        fold: (known, event) => {
          const doc = known ?? empty(event);
          const events = withEvent(doc.events, event.data.event, event.data.value);
          return { ...doc, ...grown(doc, 1), events };
        },
      },
    },
  });
}

/** The last 24 hours are answered from these. */
export const usageHours = usage('usage-hours', HOUR_MS, { indexes: [] });

/** Weeks and months are answered from these, and which devices were busiest. */
export const usageDays = usage('usage-days', DAY_MS, {
  indexes: [{ fields: ['organizationId', 'start', 'rank'] }, { fields: ['start', 'rank'] }],
  tags: (_key, { organizationId }) => scopeTags('usage_days', organizationId),
});

function grown({ total: before }: UsageDoc, by: number) {
  const total = before + by;
  return { total, rank: rankOf(total) };
}

/**
 * Grows with a number, but only now and then: up to 16 with its doublings, from there in eight steps
 * between doublings. Small totals change fastest and say least.
 */
export function rankOf(total: number): number {
  const bits = 32 - Math.clz32(total);
  const steps = bits <= 4 ? 0 : (total >>> (bits - 4)) & 7;
  return (bits << 3) | steps;
}

function withEvent(known: UsageDoc['events'], name: string, value: number | undefined) {
  const as = boundedName(known, name);
  const before = own(known, as);
  const summary = value === undefined ? before?.value : include(before?.value, value);
  const after = { count: (before?.count ?? 0) + 1, ...(summary && { value: summary }) };
  return { ...known, [as]: after };
}
