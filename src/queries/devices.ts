import type { DeviceStatus, Connection } from '../events/values.js';
import type { Position } from '../events/envelope.js';
import type { DeviceDoc } from '../projections/devices.js';
import type { VitalsDoc } from '../projections/deviceVitals.js';
import { documentTag, EVERYONE, scopeTag } from '../projections/projection.js';
import type { Condition, ReadModels, Where } from '../projections/readModels.js';
import type { Cache, Cached } from './cache.js';
import { paged, type Paged, type Paging } from './paged.js';
import { searched, type Organizations } from './searched.js';

/** A device with what its heartbeats say of it. */
export type DeviceNow = DeviceDoc & {
  /** `lastSeenAt` is null before the first heartbeat. */
  readonly vitals: VitalsDoc | Readonly<Omit<VitalsDoc, 'lastSeenAt'> & { lastSeenAt: null }>;
};

export interface ListDevices extends Paging {
  readonly organizations: Organizations;
  readonly status?: DeviceStatus | undefined;
  readonly connection?: Connection | undefined;
  readonly type?: string | undefined;
  readonly tag?: string | undefined;
  /** What a word of the name begins with. */
  readonly text?: string | undefined;
  readonly sort: 'createdAt' | 'name' | 'updatedAt';
  readonly direction: 'asc' | 'desc';
}

const SORT_FIELDS = { createdAt: 'createdAt', name: 'sortName', updatedAt: 'updatedAt' } as const;

/** How long devices and lists of them may be kept though nothing should have changed. */
const TTL_MS = 30 * 60_000;

/**
 * One page of devices.
 * @param needs what the answer must show at least; the projections are there already
 */
export function listDevices(reads: ReadModels, cache: Cache) {
  return async (asking: ListDevices, needs: Position): Promise<Cached<Paged<DeviceNow>>> => {
    const question = { ...asking, organizations: searched(asking.organizations) };
    const { organizations, status, connection, type, tag, text } = question;
    const where = conditions(question);
    if (where === undefined) return { value: NOTHING, cached: 'miss' };
    const sort = { field: SORT_FIELDS[question.sort], direction: question.direction };
    const { limit, cursor, page } = question;
    const scopes = organizations === 'all' ? [EVERYONE] : organizations;
    const asked = [organizations, status, connection, type, tag, text, sort, limit, cursor, page];
    const { value, cached } = await cache.answer<Paged<DeviceDoc>>(
      {
        // What was not asked is null in an array, so that no two questions look alike.
        key: `devices:${JSON.stringify(asked)}`,
        reads: ['devices'],
        ttlMs: TTL_MS,
        tags: () => ({ devices: scopes.map((scope) => scopeTag('devices', scope)) }),
        load: () => paged<DeviceDoc>(reads, 'devices', { where, sort }, question),
      },
      needs,
    );
    if (value === undefined) return { value: NOTHING, cached };
    // In a fleet that reports a page with its vitals would be true for no longer than a moment: which
    // devices are on it is kept, and the vitals are read each time.
    const ids = value.items.map(({ id }) => id);
    const vitals = await reads.getMany<VitalsDoc>('device_vitals', ids);
    const items = value.items.map((doc) => withVitals(doc, vitals.get(doc.id)));
    return { value: { ...value, items }, cached };
  };
}

const NOTHING: Paged<DeviceNow> = { items: [], nextCursor: null, total: 0 };

/**
 * A device; undefined when there is none.
 * @param needs what the answer must show at least; the projections are there already
 */
export function deviceById(reads: ReadModels, cache: Cache) {
  return (id: string, needs: Position): Promise<Cached<DeviceNow | undefined>> => {
    const question = {
      key: `device:${id}`,
      reads: ['devices', 'device-vitals'],
      ttlMs: TTL_MS,
      tags: () => ({
        devices: [documentTag('devices', id)],
        'device-vitals': [documentTag('device_vitals', id)],
      }),
      async load() {
        const [doc, vitals] = await Promise.all([
          reads.get<DeviceDoc>('devices', id),
          reads.get<VitalsDoc>('device_vitals', id),
        ]);
        return doc && withVitals(doc, vitals);
      },
    };
    return cache.answer<DeviceNow>(question, needs);
  };
}

const NEVER_SEEN: DeviceNow['vitals'] = { firmware: null, metrics: {}, lastSeenAt: null };

/**
 * A document of version 1 has its device's vitals in it. After an upgrade such documents answer until
 * those of version 2 are built, while the vitals are still being folded from the first heartbeat on.
 */
type Version1 = DeviceDoc & Partial<DeviceNow['vitals']>;

function withVitals(doc: Version1, vitals: VitalsDoc | undefined): DeviceNow {
  const { lastSeenAt, firmware = null, metrics = {} } = doc;
  if (typeof lastSeenAt === 'number' && lastSeenAt > (vitals?.lastSeenAt ?? 0)) {
    return { ...doc, vitals: { lastSeenAt, firmware, metrics } };
  }
  return { ...doc, vitals: vitals ?? NEVER_SEEN };
}

function conditions(question: ListDevices): Where | undefined {
  const { organizations, status, connection, type, tag, text } = question;
  const where: Record<string, Condition> = { deleted: { eq: false } };
  if (organizations !== 'all') {
    const [first] = organizations;
    if (first === undefined) return undefined;
    where.organizationId = organizations.length === 1 ? { eq: first } : { in: organizations };
  }
  if (status !== undefined) where.status = { eq: status };
  if (connection !== undefined) where.connection = { eq: connection };
  if (type !== undefined) where.type = { eq: type };
  if (tag !== undefined) where.tags = { eq: tag };
  if (text !== undefined) where.words = { prefix: text.toLowerCase() };
  return where;
}
