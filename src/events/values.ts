import { Type } from 'typebox';

/** Schemas of the values that events, requests and answers share. */

const UUID = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

export const Id = Type.String({ pattern: UUID, description: 'A lower-case UUID.' });

/** Milliseconds since the epoch, as events keep times. */
export const Millis = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 });

const CONTROLS = '\\u0000-\\u001f\\u007f';
const SURROGATES = '\\ud800-\\udfff';

/** A line of text that a person reads: no control characters, so no header or log can be forged by it. */
export const Line = (maxLength: number, minLength = 1) =>
  Type.String({ minLength, maxLength, pattern: `^[^${CONTROLS}]*$` });

/**
 * A line that an id is made of: no lone surrogate either, which has no UTF-8 (a pattern is read as Unicode,
 * where a pair is one character).
 */
export const NamingLine = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: `^[^${CONTROLS}${SURROGATES}]*$` });

/**
 * The name of a metric, a log event or a device type. Never starts with `_`, so that it can be a
 * key of a JSON object without meaning anything to a language or a database.
 */
export const Name = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.:/-]*$',
});

export const DeviceStatus = Type.Enum(['active', 'inactive', 'maintenance']);
export type DeviceStatus = 'active' | 'inactive' | 'maintenance';
export const DEVICE_STATUSES: readonly DeviceStatus[] = ['active', 'inactive', 'maintenance'];

export const Connection = Type.Enum(['online', 'offline', 'unknown']);
export type Connection = 'online' | 'offline' | 'unknown';
export const CONNECTIONS: readonly Connection[] = ['online', 'offline', 'unknown'];

export const LogLevel = Type.Enum(['debug', 'info', 'warn', 'error']);
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export const UserRole = Type.Enum(['admin', 'user']);
export type UserRole = 'admin' | 'user';

export const MemberRole = Type.Enum(['owner', 'member', 'viewer']);
export type MemberRole = 'owner' | 'member' | 'viewer';

export const Tags = Type.Array(Line(50), { maxItems: 50, uniqueItems: true });

/** Whatever a user wants kept with a thing; its depth and size are checked where it comes in. */
export const Free = Type.Record(Type.String(), Type.Unknown());

export const Metrics = Type.Record(Name, Type.Number(), {
  maxProperties: 50,
  additionalProperties: false,
});

/** How often a device says that it will be heard of, in seconds. */
export const HeartbeatInterval = Type.Integer({ minimum: 1, maximum: 86_400 });
