import type { DeviceEvent } from '../../events/device.js';
import type { DeviceStatus } from '../../events/values.js';
import type { Decision } from '../decider.js';
import { refuse } from '../refusal.js';
import type { DeviceState } from './state.js';

export interface RegisterDevice {
  readonly deviceId: string;
  readonly organizationId: string;
  readonly ownerId: string;
  readonly name: string;
  readonly deviceType: string;
  readonly status?: DeviceStatus | undefined;
  readonly tags?: string[] | undefined;
  readonly metadata?: Record<string, unknown> | undefined;
  readonly heartbeatInterval?: number | undefined;
}

export function registerDevice(
  state: DeviceState,
  { status = 'active', tags = [], metadata = {}, heartbeatInterval, ...device }: RegisterDevice,
): Decision<DeviceEvent> {
  if (state.kind !== 'none') return refuse('DEVICE_EXISTS');
  const interval = heartbeatInterval === undefined ? {} : { heartbeatInterval };
  return [{ type: 'DeviceRegistered', data: { ...device, status, tags, metadata, ...interval } }];
}
