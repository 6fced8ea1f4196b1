import type { LogLevel } from '../events/values.js';
import { projection } from './projection.js';

/** One log line of a device. Times are milliseconds since the epoch. */
export type DeviceLogDoc = Readonly<{
  id: string;
  deviceId: string;
  organizationId: string;
  event: string;
  level: LogLevel;
  message: string | null;
  value: number | null;
  data: Readonly<Record<string, unknown>> | null;
  at: number;
  receivedAt: number;
}>;

/** Enough for every position, so that keys sort as positions do. */
const POSITION_DIGITS = 19;

export const deviceLogs = projection<DeviceLogDoc>({
  name: 'device-logs',
  version: 1,
  collection: {
    name: 'device_logs',
    indexes: [
      { fields: ['deviceId', 'at'] },
      { fields: ['deviceId', 'event', 'at'] },
      { fields: ['deviceId', 'level', 'at'] },
    ],
  },
  unchanging: true,
  on: {
    LogRecorded: {
      // In the order of the log, so that a growing collection is written at its end.
      key: (event) => event.position.toString().padStart(POSITION_DIGITS, '0'),
      fold: (doc, { id, data, time }) =>
        doc ?? {
          id,
          deviceId: data.deviceId,
          organizationId: data.organizationId,
          event: data.event,
          level: data.level,
          message: data.message ?? null,
          value: data.value ?? null,
          data: data.data ?? null,
          at: data.at,
          receivedAt: time,
        },
    },
  },
});
