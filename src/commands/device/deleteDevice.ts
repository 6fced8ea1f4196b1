import type { DeviceEvent } from '../../events/device.js';
import type { Decision } from '../decider.js';
import { refuse } from '../refusal.js';
import type { DeviceState, KnownDevice } from './state.js';

/** Takes a device out of use; a deleted one stays deleted. */
export function deleteDevice(state: DeviceState): Decision<DeviceEvent> {
  if (state.kind === 'none') return refuse('DEVICE_NOT_FOUND');
  if (state.kind === 'deleted') return [];
  return [{ type: 'DeviceDeleted', data: counted(state) }];
}

/** Brings a deleted device back, with its history and as it was. */
export function restoreDevice(state: DeviceState): Decision<DeviceEvent> {
  if (state.kind === 'none') return refuse('DEVICE_NOT_FOUND');
  if (state.kind === 'registered') return refuse('DEVICE_NOT_DELETED');
  return [{ type: 'DeviceRestored', data: counted(state) }];
}

function counted({ deviceId, organizationId, deviceType, status, connection }: KnownDevice) {
  return { deviceId, organizationId, deviceType, status, connection };
}
