import type { DeviceStatus, Connection } from '../events/values.js';
import type { Position } from '../events/envelope.js';
import type { DeviceDoc } from '../projections/devices.js';
import { EVERYONE, scopeTag } from '../projections/projection.js';
import type { Condition, ReadModels, Where } from '../projections/readModels.js';
import { byId } from './byId.js';
import type { Cache, Cached } from './cache.js';
import { paged, type Paged, type Paging } from './paged.js';

export interface ListDevices extends Paging {
  /** Whose devices: these organizations', or every one's. */
  readonly organizations: readonly string[] | 'all';
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
 * @param needs what the answer must show at least; the projection is there already
 */
export function listDevices(reads: ReadModels, cache: Cache) {
  return async (question: ListDevices, needs: Position): Promise<Cached<Paged<DeviceDoc>>> => {
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
        load: () => paged(reads, 'devices', { where, sort }, question),
      },
      needs,
    );
    return { value: value ?? NOTHING, cached };
  };
}

const NOTHING: Paged<DeviceDoc> = { items: [], nextCursor: null, total: 0 };

/** The device's document. */
export function deviceById(reads: ReadModels, cache: Cache) {
  return byId<DeviceDoc>({ reads, cache, projection: 'devices', ttlMs: TTL_MS });
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
