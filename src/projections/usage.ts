import type { RecordedEvent } from '../events/envelope.js';
import type { TelemetryEvent } from '../events/telemetry.js';
import { projection } from './projection.js';
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
  metrics: Readonly<Record<string, Summary>>;
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

type Told<Event extends TelemetryEvent> = RecordedEvent<Event['type'], Event['data']>;
type Heartbeat = Told<Extract<TelemetryEvent, { type: 'HeartbeatRecorded' }>>;
type Log = Told<Extract<TelemetryEvent, { type: 'LogRecorded' }>>;

function usage(name: string, size: number, indexes: { fields: string[] }[]) {
  const start = (event: Heartbeat | Log) => bucketStart(event.data.at, size);
  const key = (event: Heartbeat | Log) => usageKey(event.data.deviceId, start(event));
  const empty = (event: Heartbeat | Log): UsageDoc => ({
    deviceId: event.data.deviceId,
    organizationId: event.data.organizationId,
    start: start(event),
    total: 0,
    rank: 0,
    heartbeats: 0,
    metrics: {},
    events: {},
  });

  return projection<UsageDoc>({
    name,
    version: 1,
    collection: { name: name.replace('-', '_'), indexes },
    on: {
      HeartbeatRecorded: {
        key,
        fold: (known, event) => {
          const doc = known ?? empty(event);
          const metrics = withMetrics(doc.metrics, event.data.metrics);
          return { ...doc, ...grown(doc), heartbeats: doc.heartbeats + 1, metrics };
        },
      },
      LogRecorded: {
        key,
        fold: (known, event) => {
          const doc = known ?? empty(event);
          const events = withEvent(doc.events, event.data.event, event.data.value);
          return { ...doc, ...grown(doc), events };
        },
      },
    },
  });
}

/** The last 24 hours are answered from these. */
export const usageHours = usage('usage-hours', HOUR_MS, []);

/** Weeks and months are answered from these, and which devices were busiest. */
export const usageDays = usage('usage-days', DAY_MS, [
  { fields: ['organizationId', 'start', 'rank'] },
  { fields: ['start', 'rank'] },
]);

function grown({ total }: UsageDoc) {
  return { total: total + 1, rank: rankOf(total + 1) };
}

/** A number's three leading bits and how many follow: order is kept, and eight ranks lie between doublings. */
export function rankOf(total: number): number {
  const bits = 32 - Math.clz32(total);
  return bits <= 4 ? total : (bits << 3) | ((total >>> (bits - 4)) & 7);
}

function withMetrics(known: UsageDoc['metrics'], told: Readonly<Record<string, number>> = {}) {
  const metrics = { ...known };
  for (const [name, value] of Object.entries(told)) {
    const as = boundedName(metrics, name);
    metrics[as] = include(own(metrics, as), value);
  }
  return metrics;
}

function withEvent(known: UsageDoc['events'], name: string, value: number | undefined) {
  const as = boundedName(known, name);
  const before = own(known, as);
  const summary = value === undefined ? before?.value : include(before?.value, value);
  const after = { count: (before?.count ?? 0) + 1, ...(summary && { value: summary }) };
  return { ...known, [as]: after };
}
