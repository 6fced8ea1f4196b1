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
import { searched, type Organizations } from './searched.js';

const HOURS = 24;
const TOP = 10;
/** Ranks tell totals apart to a tenth; the totals themselves decide among so many at a time. */
const RANKED = 100;
/** So many times it is looked further down, where devices that are deleted by now take the first places. */
const MOST_LOOKS = 10;

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
  return async (whose: Organizations, now: number, needs: Position): Promise<Cached<Dashboard>> => {
    const organizations = searched(whose);
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

function scopesOf(organizations: Organizations): readonly string[] {
  return organizations === 'all' ? [EVERYONE] : organizations;
}

function loadDashboard(reads: ReadModels) {
  return async (organizations: Organizations, now: number): Promise<Dashboard> => {
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
  organizations: Organizations,
  now: number,
): Promise<Dashboard['top']> {
  if (organizations.length === 0) return [];
  const top: Dashboard['top'][number][] = [];
  for await (const usages of ranked(reads, organizations, bucketStart(now, DAY_MS))) {
    const ids = usages.map(({ deviceId }) => deviceId);
    const devices = await reads.getMany<DeviceDoc>('devices', ids);
    for (const { deviceId: id, total } of usages) {
      const device = devices.get(id);
      if (device !== undefined && !device.deleted) top.push({ id, name: device.name, total });
    }
    if (top.length >= TOP) break;
  }
  return top.toSorted((a, b) => b.total - a.total).slice(0, TOP);
}

/** What devices reported on a day, most first, in parts of so many as are wanted: nearly always the first is enough. */
async function* ranked(
  reads: ReadModels,
  organizations: Organizations,
  start: number,
): AsyncGenerator<readonly UsageDoc[]> {
  const where = {
    ...(organizations !== 'all' && { organizationId: { in: organizations } }),
    start: { eq: start },
  };
  let after = {};
  for (let look = 0; look < MOST_LOOKS; look++) {
    const { items, nextCursor } = await reads.find<UsageDoc>('usage_days', {
      where,
      sort: { field: 'rank', direction: 'desc' },
      limit: RANKED,
      ...after,
    });
    const most = items.toSorted((a, b) => b.total - a.total);
    for (let from = 0; from < most.length; from += TOP) yield most.slice(from, from + TOP);
    if (nextCursor === null) return;
    after = { cursor: nextCursor };
  }
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
