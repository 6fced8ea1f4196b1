import { Type } from 'typebox';
import { defineEvent, type EventOf } from './definition.js';
import { DeviceStatus, Free, Id, Line, LogLevel, Metrics, Millis, Name } from './values.js';

const Told = {
  deviceId: Id,
  organizationId: Id,
  /** When it happened by the device's own clock, or when it was received if the device did not say. */
  at: Millis,
};

/** Stream `telemetry-{deviceId}-{yyyymmdd}`: what a device reports, a stream for each day of receipt (UTC). */
export const telemetryEvents = [
  defineEvent(
    'HeartbeatRecorded',
    'A device said that it is alive, and how it is.',
    Type.Object({
      ...Told,
      status: Type.Optional(DeviceStatus),
      metrics: Type.Optional(Metrics),
      firmware: Type.Optional(Line(64)),
    }),
  ),
  defineEvent(
    'LogRecorded',
    'A device told of something that happened to it.',
    Type.Object({
      ...Told,
      event: Name,
      level: LogLevel,
      message: Type.Optional(Type.String({ maxLength: 4_096 })),
      value: Type.Optional(Type.Number()),
      data: Type.Optional(Free),
    }),
  ),
] as const;

export type TelemetryEvent = EventOf<(typeof telemetryEvents)[number]>;
