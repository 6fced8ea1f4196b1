import { isDeepStrictEqual } from 'node:util';
import type { DeviceEvent } from '../../events/device.js';
import type { DeviceStatus } from '../../events/values.js';
import type { Decision } from '../decider.js';
import type { DeviceState } from './state.js';
import { registered } from './registered.js';

export interface UpdateDevice {
  readonly name?: string | undefined;
  readonly deviceType?: string | undefined;
  readonly status?: DeviceStatus | undefined;
  readonly tags?: string[] | undefined;
  /** Replaces the metadata as a whole. */
  readonly metadata?: Record<string, unknown> | undefined;
  readonly heartbeatInterval?: number | null | undefined;
}

/** Changes what is given and differs; what already holds makes no event. */
export function updateDevice(
  state: DeviceState,
  { deviceType, status, ...details }: UpdateDevice,
): Decision<DeviceEvent> {
  const device = registered(state);
  if ('refused' in device) return device;
  const { deviceId, organizationId } = device;
  const events: DeviceEvent[] = [];

  const changed = Object.fromEntries(
    DETAILS.filter(
      (name) => details[name] !== undefined && !isDeepStrictEqual(details[name], device[name]),
    ).map((name) => [name, details[name]]),
  );
  if (Object.keys(changed).length > 0) {
    events.push({ type: 'DeviceDetailsChanged', data: { deviceId, organizationId, ...changed } });
  }
  if (deviceType !== undefined && deviceType !== device.deviceType) {
    const data = { deviceId, organizationId, from: device.deviceType, to: deviceType };
    events.push({ type: 'DeviceTypeChanged', data });
  }
  if (status !== undefined && status !== device.status) {
    const data = { deviceId, organizationId, from: device.status, to: status };
    events.push({ type: 'DeviceStatusChanged', data });
  }
  return events;
}

const DETAILS = ['name', 'tags', 'metadata', 'heartbeatInterval'] as const;
