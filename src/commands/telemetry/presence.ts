import { isOvertaken, type ReportPresence } from '../device/reportPresence.js';
import type { DeviceState } from '../device/state.js';
import { isRefusal } from '../refusal.js';
import type { Decided, Recorded } from './decided.js';

/** A report, and when it was recorded if it came before. */
export type Reported = Pick<Decided, 'event'> & Pick<Recorded, 'firstAt'>;

/** What reports say of the device itself, if anything: only those recent enough to tell of now count. */
export function presenceIn(
  state: DeviceState,
  reported: readonly Reported[],
  now: number,
  offlineAfterMs: number,
): ReportPresence | undefined {
  if (state.kind !== 'registered') return undefined;
  const interval = state.heartbeatInterval;
  const window = interval === null ? offlineAfterMs : interval * 1_000;
  let presence: ReportPresence | undefined;
  for (const { event, firstAt } of reported) {
    if (isRefusal(event) || event.type !== 'HeartbeatRecorded') continue;
    if (now - event.data.at > window) continue;
    const { status } = event.data;
    const saysNothing = status === undefined || isOvertaken(state, firstAt);
    const last = saysNothing ? presence : { status, firstAt };
    presence = { at: now, connection: 'online', status: last?.status, firstAt: last?.firstAt };
  }
  return presence;
}

/** Whether a device is anything else than that. */
export function changes(state: DeviceState, presence: ReportPresence | undefined): boolean {
  if (state.kind === 'none' || presence === undefined) return false;
  const { connection, status } = presence;
  return (
    (connection !== undefined && connection !== state.connection) ||
    (status !== undefined && status !== state.status)
  );
}
