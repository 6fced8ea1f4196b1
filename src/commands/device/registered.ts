import { refuse, type Refusal } from '../refusal.js';
import type { DeviceState, KnownDevice } from './state.js';

/** The device, if it is there to be used; why not, if it isn't. */
export function registered(state: DeviceState): KnownDevice | Refusal {
  switch (state.kind) {
    case 'none':
      return refuse('DEVICE_NOT_FOUND');
    case 'deleted':
      return refuse('DEVICE_DELETED');
    case 'registered':
      return state;
  }
}
