import type { Static } from 'typebox';
import type { Telemetry } from '../commands/telemetry/record.js';
import { millis } from './answers.js';
import type { HeartbeatBody, LogBody } from './schemas.js';

/** A report as requests have it. */
export type TelemetryBody =
  | ({ readonly kind: 'heartbeat' } & Static<typeof HeartbeatBody>)
  | ({ readonly kind: 'log' } & Static<typeof LogBody>);

/** The report that a request makes. */
export function toTelemetry(body: TelemetryBody): Telemetry {
  const time = body.time === undefined ? undefined : millis(body.time);
  if (body.kind === 'heartbeat') {
    const { status, metrics, firmware } = body;
    return { kind: 'heartbeat', time, status, metrics, firmware };
  }
  const { event, level = 'info', message, value, data } = body;
  return { kind: 'log', time, event, level, message, value, data };
}
