import type { DeviceStatus, Connection } from '../events/values.js';
import type { DeviceDoc } from '../projections/devices.js';
import type { Condition, ReadModels, Where } from '../projections/readModels.js';
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

/** One page of devices. */
export function listDevices(reads: ReadModels) {
  return async (question: ListDevices): Promise<Paged<DeviceDoc>> => {
    const where = conditions(question);
    if (where === undefined) return { items: [], nextCursor: null, total: 0 };
    const sort = { field: SORT_FIELDS[question.sort], direction: question.direction };
    return paged(reads, 'devices', { where, sort }, question);
  };
}

/** The device's document; undefined when the projection has none. */
export function deviceById(reads: ReadModels) {
  return (deviceId: string) => reads.get<DeviceDoc>('devices', deviceId);
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
