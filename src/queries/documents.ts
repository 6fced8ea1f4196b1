/** What queries answer: the documents of the projections that they read, or what they make of them. */
export type { DeviceLogDoc } from '../projections/deviceLogs.js';
export type { DeviceNow } from './devices.js';
export type { UserDoc } from '../projections/users.js';
