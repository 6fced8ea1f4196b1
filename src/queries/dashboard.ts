import type { Position } from '../events/envelope.js';
import {
  activityKey,
  fleetKey,
  type ActivityDoc,
  type Counts,
  type FleetDoc,
} from '../projections/dashboard.js';
import type { DeviceDoc } from '../projections/devices.js';
import { documentTag, EVERYONE, scopeTag } from '../projections/projection.js';
import type { ReadModels } from '../projections/readModels.js';
import { bucketStart, DAY_MS, HOUR_MS, type UsageDoc } from '../projections/usage.js';
import type { Cache, Cached } from './cache.js';

const HOURS = 24;
const TOP = 10;
/** Ranks tell totals apart to a tenth; the totals themselves decide among the first of these. */
const RANKED = 100;

/** How long a dashboard may be kept though nothing should have changed. */
const TTL_MS = 5 * 60_000;

export type Dashboard = Readonly<{
  devices: Readonly<{ total: number; status: Counts; connection: Counts; type: Counts }>;
  /** The last 24 hours (UTC), oldest first, those without reports too. */
  activity: readonly Readonly<{ start: number; total: number }>[];
  /** How often each event was reported in them: `heartbeat`, or the log's event name. */
  events: Counts;
  /** The devices that reported most since midnight (UTC), to within a tenth in a fleet that reports evenly. */
  top: readonly Readonly<{ id: string; name: string; total: number }>[];
}>;

/**
 * The state of the fleets of some organizations, or of every one.
 * @param needs what the answer must show at least; the projections are there already
 */
export function dashboardOf(reads: ReadModels, cache: Cache) {
  const load = loadDashboard(reads);
  return async (
    organizations: readonly string[] | 'all',
    now: number,
    needs: Position,
  ): Promise<Cached<Dashboard>> => {
    const scopes = scopesOf(organizations);
    const { value, cached } = await cache.answer<Dashboard>(
      {
        key: `dashboard:${bucketStart(now, HOUR_MS)}:${scopes.join()}`,
        reads: ['dashboard', 'usage-days', 'devices'],
        ttlMs: TTL_MS,
        tags: ({ top }) => ({
          dashboard: scopes.map((scope) => scopeTag('dashboard', scope)),
          'usage-days': scopes.map((scope) => scopeTag('usage_days', scope)),
          devices: top.map(({ id }) => documentTag('devices', id)),
        }),
        load: () => load(organizations, now),
      },
      needs,
    );
    return { value: value ?? NOTHING, cached };
  };
}

const NOTHING: Dashboard = {
  devices: { total: 0, status: {}, connection: {}, type: {} },
  activity: [],
  events: {},
  top: [],
};

function scopesOf(organizations: readonly string[] | 'all'): readonly string[] {
  return organizations === 'all' ? [EVERYONE] : organizations;
}

function loadDashboard(reads: ReadModels) {
  return async (organizations: readonly string[] | 'all', now: number): Promise<Dashboard> => {
    const scopes = scopesOf(organizations);
    const first = bucketStart(now, HOUR_MS) - (HOURS - 1) * HOUR_MS;
    const starts = Array.from({ length: HOURS }, (_, index) => first + index * HOUR_MS);
    const keys = scopes.flatMap((scope) => [
      fleetKey(scope),
      ...starts.map((start) => activityKey(scope, start)),
    ]);
    const [docs, top] = await Promise.all([
      reads.getMany<FleetDoc | ActivityDoc>('dashboard', keys),
      busiest(reads, organizations, now),
    ]);

    const fleets = [...docs.values()].filter((doc) => doc.kind === 'fleet');
    const activities = [...docs.values()].filter((doc) => doc.kind === 'activity');
    return {
      devices: {
        total: fleets.reduce((sum, { devices }) => sum + devices, 0),
        status: sumOf(fleets.map(({ status }) => status)),
        connection: sumOf(fleets.map(({ connection }) => connection)),
        type: sumOf(fleets.map(({ type }) => type)),
      },
      activity: starts.map((start) => ({
        start,
        total: activities
          .filter((activity) => activity.start === start)
          .reduce((sum, { total }) => sum + total, 0),
      })),
      events: sumOf(activities.map(({ events }) => events)),
      top,
    };
  };
}

async function busiest(
  reads: ReadModels,
  organizations: readonly string[] | 'all',
  now: number,
): Promise<Dashboard['top']> {
  if (organizations.length === 0) return [];
  const { items } = await reads.find<UsageDoc>('usage_days', {
    where: {
      ...(organizations !== 'all' && { organizationId: { in: organizations } }),
      start: { eq: bucketStart(now, DAY_MS) },
    },
    sort: { field: 'rank', direction: 'desc' },
    limit: RANKED,
  });
  const most = items.toSorted((a, b) => b.total - a.total).slice(0, TOP);
  const devices = await reads.getMany<DeviceDoc>(
    'devices',
    most.map(({ deviceId }) => deviceId),
  );
  return most.flatMap(({ deviceId, total }) => {
    const device = devices.get(deviceId);
    if (device === undefined || device.deleted) return [];
    return [{ id: deviceId, name: device.name, total }];
  });
}

function sumOf(all: readonly Counts[]): Counts {
  const sum = new Map<string, number>();
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) {
      sum.set(name, (sum.get(name) ?? 0) + count);
    }
  }
  return Object.fromEntries(sum);
}
