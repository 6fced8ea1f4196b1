import { dashboard } from './dashboard.js';
import { deviceLogs } from './deviceLogs.js';
import { devices } from './devices.js';
import { deviceVitals } from './deviceVitals.js';
import type { AnyProjection } from './projection.js';
import { usageDays, usageHours } from './usage.js';
import { users } from './users.js';

/** Every projection of the system. */
export const projections: readonly AnyProjection[] = [
  users,
  devices,
  deviceVitals,
  deviceLogs,
  usageHours,
  usageDays,
  dashboard,
];

export type ProjectionName =
  | 'users'
  | 'devices'
  | 'device-vitals'
  | 'device-logs'
  | 'usage-hours'
  | 'usage-days'
  | 'dashboard';
