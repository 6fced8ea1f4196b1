import { Type } from 'typebox';
import { Id } from '../../events/values.js';
import { time } from '../answers.js';
import type { RouteDeps } from '../deps.js';
import { route, type Route } from '../route.js';
import { ById, object, optional, Time } from '../schemas.js';
import { visibleOrganizations } from '../visible.js';

const TAG = 'Analytics';

const Summary = object({
  count: Type.Integer(),
  sum: Type.Number(),
  min: Type.Number(),
  max: Type.Number(),
  avg: Type.Number(),
});
const totals = {
  total: Type.Integer(),
  heartbeats: Type.Integer(),
  metrics: Type.Record(Type.String(), Summary),
  events: Type.Record(Type.String(), object({ count: Type.Integer(), value: optional(Summary) })),
};
const Usage = object({
  deviceId: Id,
  range: Type.String(),
  from: Time,
  to: Time,
  bucketSeconds: Type.Integer(),
  ...totals,
  buckets: Type.Array(object({ start: Time, ...totals })),
});

const Counts = Type.Record(Type.String(), Type.Integer());
const Dashboard = object({
  devices: object({ total: Type.Integer(), status: Counts, connection: Counts, type: Counts }),
  activity: Type.Array(object({ start: Time, total: Type.Integer() })),
  events: Counts,
  top: Type.Array(object({ id: Id, name: Type.String(), total: Type.Integer() })),
});

type Summarised = Readonly<{ count: number; sum: number; min: number; max: number }>;
interface Totals {
  readonly total: number;
  readonly heartbeats: number;
  readonly metrics: Readonly<Record<string, Summarised>>;
  readonly events: Readonly<Record<string, Readonly<{ count: number; value?: Summarised }>>>;
}

export function analyticsRoutes({ runtime, queries }: RouteDeps): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/api/devices/:id/usage',
      summary: 'What the device reported, in hours (24h) or days (7d, 30d) of UTC.',
      tag: TAG,
      access: 'device:view',
      limit: 'analytics',
      params: ById,
      query: object({ range: optional(Type.Enum(['24h', '7d', '30d'])) }),
      reads: ['usage-hours', 'usage-days'],
      answers: { 200: Usage },
      async handle({ params: { id: deviceId }, query: { range = '24h' } }) {
        const now = runtime.now();
        const usage = await queries.deviceUsage(deviceId, range, now);
        const body = {
          deviceId,
          range,
          from: time(usage.from),
          to: time(now),
          bucketSeconds: usage.bucketMs / 1_000,
          ...shown(usage.total),
          buckets: usage.buckets.map((bucket) => ({
            start: time(bucket.start),
            ...shown(bucket),
          })),
        };
        return { status: 200, body };
      },
    }),

    route({
      method: 'get',
      path: '/api/analytics/dashboard',
      summary: 'Your fleets at a glance; an administrator sees all.',
      tag: TAG,
      access: 'user',
      limit: 'analytics',
      reads: ['dashboard', 'devices', 'usage-days', 'users'],
      answers: { 200: Dashboard },
      async handle({ user, needs }) {
        const organizations = await visibleOrganizations(queries, user, needs);
        const { value, cached } = await queries.dashboard(organizations, runtime.now(), needs);
        const { activity, ...dashboard } = value;
        const hours = activity.map(({ start, total }) => ({ start: time(start), total }));
        return { status: 200, body: { ...dashboard, activity: hours }, cached };
      },
    }),
  ];
}

function shown({ total, heartbeats, metrics, events }: Totals) {
  return {
    total,
    heartbeats,
    metrics: mapValues(metrics, withMean),
    events: mapValues(events, ({ count, value }) => ({
      count,
      ...(value && { value: withMean(value) }),
    })),
  };
}

function withMean(summary: Summarised) {
  return { ...summary, avg: summary.sum / summary.count };
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
