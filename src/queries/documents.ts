/** What queries answer: the documents of the projections that they read. */
export type { DeviceLogDoc } from '../projections/deviceLogs.js';
export type { DeviceDoc } from '../projections/devices.js';
export type { UserDoc } from '../projections/users.js';
