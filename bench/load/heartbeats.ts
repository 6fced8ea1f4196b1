import type { Device } from '../servers/fleet.js';
import type { LoadRequest } from './load.js';

/** What a small sensor reports: as `fleetbook simulate` does by default. */
export const METRICS = { temperature: 21.37, humidity: 44.91, battery: 87.5, rssi: -67 };

const BODY = JSON.stringify({ metrics: METRICS });

/** One heartbeat of each device, under its own token. */
export function heartbeatsOf(devices: readonly Device[]): LoadRequest[] {
  return devices.map(({ id, token }) => ({
    method: 'POST',
    path: `/api/devices/${id}/heartbeat`,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: BODY,
  }));
}
