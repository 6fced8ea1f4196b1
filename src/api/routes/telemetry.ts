import { Type } from 'typebox';
import { Id, LogLevel, Name } from '../../events/values.js';
import { accepted, listAnswer, logAnswer, millis } from '../answers.js';
import type { RouteDeps } from '../deps.js';
import { Problem } from '../problem.js';
import { route, type DeviceCall, type Route } from '../route.js';
import {
  ById,
  HeartbeatBody,
  listOf,
  LogBody,
  object,
  optional,
  paging,
  RecordedAnswer,
  Time,
} from '../schemas.js';
import { toTelemetry, type TelemetryBody } from '../telemetryBody.js';

const TAG = 'Telemetry';

const LogEntry = object({
  id: Id,
  event: Type.String(),
  level: LogLevel,
  message: Type.Union([Type.String(), Type.Null()]),
  value: Type.Union([Type.Number(), Type.Null()]),
  data: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  time: Time,
  receivedAt: Time,
});

export function telemetryRoutes({ report, queries }: RouteDeps): readonly Route[] {
  async function record(
    { device, origin }: Pick<DeviceCall, 'device' | 'origin'>,
    body: TelemetryBody,
  ) {
    const { deviceId } = device;
    const reported = { telemetry: toTelemetry(body), origin: origin(), index: 0 };
    const [answer] = await report(deviceId, [reported]);
    if (answer === undefined) throw new Problem('INTERNAL');
    const { eventId, position } = accepted(answer);
    return { status: 200, body: { deviceId, eventId, position: position.toString() }, position };
  }

  return [
    route({
      method: 'post',
      path: '/api/devices/:id/heartbeat',
      summary: 'The device is alive, and this is how it is.',
      tag: TAG,
      access: 'device:report',
      limit: 'telemetry',
      busy: true,
      params: ById,
      body: HeartbeatBody,
      answers: { 200: RecordedAnswer },
      handle: ({ body, ...call }) => record(call, { kind: 'heartbeat', ...body }),
    }),

    route({
      method: 'post',
      path: '/api/devices/:id/logs',
      summary: 'Something happened to the device.',
      tag: TAG,
      access: 'device:report',
      limit: 'telemetry',
      busy: true,
      params: ById,
      body: LogBody,
      answers: { 200: RecordedAnswer },
      handle: ({ body, ...call }) => record(call, { kind: 'log', ...body }),
    }),

    route({
      method: 'get',
      path: '/api/devices/:id/logs',
      summary: 'What happened to the device, newest first.',
      tag: TAG,
      access: 'device:view',
      params: ById,
      reads: ['device-logs'],
      query: object({
        ...paging,
        event: optional(Name),
        level: optional(LogLevel),
        from: optional(Time),
        to: optional(Time),
        direction: optional(Type.Enum(['asc', 'desc'])),
      }),
      answers: { 200: listOf(LogEntry) },
      async handle({ params: { id: deviceId }, query }) {
        const { limit = 50, direction = 'desc', from, to, ...rest } = query;
        const found = await queries.deviceLogs({
          ...rest,
          deviceId,
          direction,
          limit,
          from: from === undefined ? undefined : millis(from),
          to: to === undefined ? undefined : millis(to),
        });
        return { status: 200, body: listAnswer(found, logAnswer, { limit, page: query.page }) };
      },
    }),
  ];
}
