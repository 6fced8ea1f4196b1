import type { ReadModels } from '../projections/readModels.js';
import type { Cache } from './cache.js';
import { dashboardOf } from './dashboard.js';
import { listDeviceLogs } from './deviceLogs.js';
import { deviceById, listDevices } from './devices.js';
import { deviceUsage } from './usage.js';
import { listUsers, userById } from './users.js';

/** Every question that the read models answer, those that are asked most through a cache. */
export function makeQueries(reads: ReadModels, cache: Cache) {
  return {
    dashboard: dashboardOf(reads, cache),
    deviceById: deviceById(reads, cache),
    deviceLogs: listDeviceLogs(reads),
    devices: listDevices(reads, cache),
    deviceUsage: deviceUsage(reads),
    userById: userById(reads, cache),
    users: listUsers(reads),
  };
}

export type Queries = ReturnType<typeof makeQueries>;
