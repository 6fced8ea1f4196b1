import type { ReadModels } from '../projections/readModels.js';
import { dashboardOf } from './dashboard.js';
import { listDeviceLogs } from './deviceLogs.js';
import { deviceById, listDevices } from './devices.js';
import { deviceUsage } from './usage.js';
import { listUsers, userById } from './users.js';

/** Every question that the read models answer. */
export function makeQueries(reads: ReadModels) {
  return {
    dashboard: dashboardOf(reads),
    deviceById: deviceById(reads),
    deviceLogs: listDeviceLogs(reads),
    devices: listDevices(reads),
    deviceUsage: deviceUsage(reads),
    userById: userById(reads),
    users: listUsers(reads),
  };
}

export type Queries = ReturnType<typeof makeQueries>;
