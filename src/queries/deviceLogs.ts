import type { LogLevel } from '../events/values.js';
import type { DeviceLogDoc } from '../projections/deviceLogs.js';
import type { Condition, ReadModels } from '../projections/readModels.js';
import { paged, type Paged, type Paging } from './paged.js';

export interface ListDeviceLogs extends Paging {
  readonly deviceId: string;
  readonly event?: string | undefined;
  readonly level?: LogLevel | undefined;
  /** Milliseconds since the epoch, included. */
  readonly from?: number | undefined;
  /** Milliseconds since the epoch, excluded. */
  readonly to?: number | undefined;
  readonly direction: 'asc' | 'desc';
}

/** One page of a device's log lines by their time. */
export function listDeviceLogs(reads: ReadModels) {
  return async (question: ListDeviceLogs): Promise<Paged<DeviceLogDoc>> => {
    const { deviceId, event, level, from, to, direction } = question;
    const where: Record<string, Condition> = { deviceId: { eq: deviceId } };
    if (event !== undefined) where.event = { eq: event };
    if (level !== undefined) where.level = { eq: level };
    if (from !== undefined || to !== undefined) {
      where.at = {
        ...(from !== undefined && { gte: from }),
        ...(to !== undefined && { lt: to }),
      };
    }
    return paged(reads, 'device_logs', { where, sort: { field: 'at', direction } }, question);
  };
}
