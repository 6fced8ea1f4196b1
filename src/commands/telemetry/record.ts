import type { TelemetryEvent } from '../../events/telemetry.js';
import type { DeviceStatus, LogLevel } from '../../events/values.js';
import { registered } from '../device/registered.js';
import type { DeviceState } from '../device/state.js';
import { refuse, type Refusal } from '../refusal.js';

/** How far a device's clock may run ahead of ours before what it says is refused. */
export const CLOCK_AHEAD_MS = 5 * 60_000;

export interface Heartbeat {
  readonly kind: 'heartbeat';
  /** When it was sent, by the device's clock, in milliseconds since the epoch. */
  readonly time?: number | undefined;
  readonly status?: DeviceStatus | undefined;
  readonly metrics?: Record<string, number> | undefined;
  readonly firmware?: string | undefined;
}

export interface LogLine {
  readonly kind: 'log';
  readonly time?: number | undefined;
  readonly event: string;
  readonly level: LogLevel;
  readonly message?: string | undefined;
  readonly value?: number | undefined;
  readonly data?: Record<string, unknown> | undefined;
}

export type Telemetry = Heartbeat | LogLine;

/** Decides on one report of a device. Pure; `now` is when it was received. */
export function recordTelemetry(
  state: DeviceState,
  telemetry: Telemetry,
  now: number,
): TelemetryEvent | Refusal {
  const device = registered(state);
  if ('refused' in device) return device;
  const at = telemetry.time ?? now;
  if (at > now + CLOCK_AHEAD_MS) return refuse('TIME_IN_FUTURE');
  const told = { deviceId: device.deviceId, organizationId: device.organizationId, at };
  return telemetry.kind === 'heartbeat' ? heartbeat(told, telemetry) : logLine(told, telemetry);
}

interface Told {
  readonly deviceId: string;
  readonly organizationId: string;
  readonly at: number;
}

function heartbeat({ deviceId, organizationId, at }: Told, told: Heartbeat): TelemetryEvent {
  const { status, metrics, firmware } = told;
  const data: Data<'HeartbeatRecorded'> = { deviceId, organizationId, at };
  if (status !== undefined) data.status = status;
  if (metrics !== undefined) data.metrics = metrics;
  if (firmware !== undefined) data.firmware = firmware;
  return { type: 'HeartbeatRecorded', data };
}

function logLine({ deviceId, organizationId, at }: Told, told: LogLine): TelemetryEvent {
  const { event, level, message, value, data: more } = told;
  const data: Data<'LogRecorded'> = { deviceId, organizationId, at, event, level };
  if (message !== undefined) data.message = message;
  if (value !== undefined) data.value = value;
  if (more !== undefined) data.data = more;
  return { type: 'LogRecorded', data };
}

type Data<Type extends TelemetryEvent['type']> = Extract<TelemetryEvent, { type: Type }>['data'];
