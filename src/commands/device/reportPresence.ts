import type { DeviceEvent } from '../../events/device.js';
import type { Connection, DeviceStatus } from '../../events/values.js';
import type { Decision } from '../decider.js';
import { registered } from './registered.js';
import type { DeviceState, KnownDevice } from './state.js';

export interface ReportPresence {
  /** Absent when the report says nothing of it: telemetry that is too old to tell of now. */
  readonly connection?: Connection | undefined;
  /** The status that the device gives itself. */
  readonly status?: DeviceStatus | undefined;
  /** When it was first recorded, of a status in a report that came before: what was done to the device since stands. */
  readonly firstAt?: number | undefined;
  /** When the device was heard of, in milliseconds since the epoch. */
  readonly at: number;
}

/** What a heartbeat changes of the device itself: nearly always nothing, and then there is no event. */
export function reportPresence(
  state: DeviceState,
  { connection, status, firstAt, at }: ReportPresence,
): Decision<DeviceEvent> {
  const device = registered(state);
  if ('refused' in device) return device;
  const { deviceId, organizationId } = device;
  const events: DeviceEvent[] = [];
  if (connection !== undefined && connection !== device.connection) {
    const data = { deviceId, organizationId, from: device.connection, to: connection, at };
    events.push({ type: 'DeviceConnectionChanged', data });
  }
  if (status !== undefined && status !== device.status && !isOvertaken(device, firstAt)) {
    const data = { deviceId, organizationId, from: device.status, to: status };
    events.push({ type: 'DeviceStatusChanged', data });
  }
  return events;
}

/** Whether a status was set since a report that comes again was recorded. */
export function isOvertaken(device: KnownDevice, firstAt: number | undefined): boolean {
  return firstAt !== undefined && firstAt <= device.statusAt;
}
