import { Type, type TSchema } from 'typebox';
import {
  Connection,
  DeviceStatus,
  HeartbeatInterval,
  Id,
  Line,
  LogLevel,
  MemberRole,
  Metrics,
  Name,
  Tags,
  UserRole,
} from '../events/values.js';

/** The shapes of requests and answers that several routes share. */

export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, in UTC.' });
export const PositionText = Type.String({
  pattern: '^[0-9]{1,19}$',
  description: 'A log position: compare it, print it, send it back; nothing else.',
});
export const Email = Type.String({ format: 'email', maxLength: 254 });

/** Whatever a user wants kept: bounded, since it is read back with every device. */
export const FreeObject = Type.Record(Type.String({ maxLength: 100 }), Type.Unknown(), {
  'x-maxDepth': 8,
  'x-maxBytes': 16_384,
  'x-maxValues': 1_000,
});

export const object = <Properties extends Record<string, TSchema>>(
  properties: Properties,
  options: { description?: string; minProperties?: number } = {},
) => Type.Object(properties, { additionalProperties: false, ...options });

export const optional = Type.Optional;

export const ById = object({ id: Id });

/** How a list is paged: by cursor, or by number. */
export const paging = {
  limit: optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: optional(Type.String({ maxLength: 1_000 })),
  page: optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
};

/** `{items, nextCursor}`, with the totals when it was asked for by page. */
export const listOf = (item: TSchema) =>
  object({
    items: Type.Array(item),
    nextCursor: Type.Union([Type.String(), Type.Null()]),
    total: optional(Type.Integer()),
    page: optional(Type.Integer()),
    limit: optional(Type.Integer()),
    totalPages: optional(Type.Integer()),
  });

export const User = object({
  id: Id,
  name: Type.String(),
  email: Type.String(),
  role: UserRole,
  disabled: Type.Boolean(),
  organizationId: Id,
  createdAt: Time,
});

export const Tokens = object({
  accessToken: Type.String(),
  refreshToken: Type.String(),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds that the access token is good for.' }),
  user: User,
});

export const Device = object({
  id: Id,
  name: Type.String(),
  type: Type.String(),
  status: DeviceStatus,
  connection: Connection,
  tags: Type.Array(Type.String()),
  metadata: Type.Record(Type.String(), Type.Unknown()),
  heartbeatInterval: Type.Union([Type.Integer(), Type.Null()]),
  firmware: Type.Union([Type.String(), Type.Null()]),
  metrics: Type.Record(Type.String(), Type.Number(), {
    description: 'Those of the last heartbeat that had any.',
  }),
  ownerId: Id,
  organizationId: Id,
  lastSeenAt: Type.Union([Time, Type.Null()]),
  createdAt: Time,
  updatedAt: Time,
  revision: Type.Integer({ description: 'As in ETag; a heartbeat does not move it.' }),
});

export const NewDevice = object({
  name: Line(100),
  type: Name,
  status: optional(DeviceStatus),
  tags: optional(Tags),
  metadata: optional(FreeObject),
  heartbeatInterval: optional(HeartbeatInterval),
  organizationId: optional(Id),
});

export const HeartbeatBody = object({
  status: optional(DeviceStatus),
  metrics: optional(Metrics),
  firmware: optional(Line(64)),
  time: optional(Time),
});

export const LogBody = object({
  event: Name,
  level: optional(LogLevel),
  message: optional(Type.String({ maxLength: 4_096 })),
  value: optional(Type.Number()),
  data: optional(FreeObject),
  time: optional(Time),
});

export const RecordedAnswer = object({ deviceId: Id, eventId: Id, position: PositionText });

export const Membership = object({ userId: Id, role: MemberRole });

export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: optional(Type.String()),
  errors: optional(Type.Array(object({ at: Type.String(), message: Type.String() }))),
  requestId: Type.String(),
});
