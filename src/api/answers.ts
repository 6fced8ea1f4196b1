import type { KnownDevice } from '../commands/device/state.js';
import { isRefusal, type Refusal } from '../commands/refusal.js';
import type { RegisteredUser } from '../commands/user/state.js';
import type { DeviceLogDoc, DeviceNow, UserDoc } from '../queries/documents.js';
import { Problem } from './problem.js';

/** What users see of things. Answers are made here field by field, so that nothing slips out by itself. */

/** A time as answers have it: RFC 3339 in UTC, with milliseconds. */
export function time(millis: number): string {
  return new Date(millis).toISOString();
}

/** A time as requests have it, in milliseconds since the epoch; the schema has checked its form. */
export function millis(text: string): number {
  const value = Date.parse(text);
  if (Number.isNaN(value) || value < 0) {
    const errors = [{ at: 'time', message: 'must be a time since 1970' }];
    throw new Problem('VALIDATION_FAILED', { errors });
  }
  return value;
}

/** The value, unless it is a refusal: then the problem that it is for a caller. */
export function accepted<Value extends object>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new Problem(value.refused, { detail: value.detail });
  return value;
}

export function userAnswer(user: RegisteredUser) {
  const { userId, name, email, role, disabled, organizationId, createdAt } = user;
  return { id: userId, name, email, role, disabled, organizationId, createdAt: time(createdAt) };
}

export function listedUser(doc: UserDoc) {
  const { id, name = '', email = '', role, disabled, organizations, createdAt } = doc;
  return { id, name, email, role, disabled, organizations, createdAt: time(createdAt) };
}

/** A device as its projections have it. */
export function deviceAnswer(doc: DeviceNow) {
  return {
    id: doc.id,
    name: doc.name,
    type: doc.type,
    status: doc.status,
    connection: doc.connection,
    tags: doc.tags,
    metadata: doc.metadata,
    heartbeatInterval: doc.heartbeatInterval,
    firmware: doc.vitals.firmware,
    metrics: doc.vitals.metrics,
    ownerId: doc.ownerId,
    organizationId: doc.organizationId,
    lastSeenAt: seenAt(doc),
    createdAt: time(doc.createdAt),
    updatedAt: time(doc.updatedAt),
    revision: doc.revision,
  };
}

function seenAt(doc: DeviceNow | undefined): string | null {
  const at = doc?.vitals.lastSeenAt ?? null;
  return at === null ? null : time(at);
}

/**
 * A device as a command has left it. What its telemetry says of it comes from the projection, as far
 * as that has come: a command waits for no projection.
 */
export function changedDevice(state: KnownDevice, revision: number, doc: DeviceNow | undefined) {
  return {
    id: state.deviceId,
    name: state.name,
    type: state.deviceType,
    status: state.status,
    connection: state.connection,
    tags: state.tags,
    metadata: state.metadata,
    heartbeatInterval: state.heartbeatInterval,
    firmware: doc?.vitals.firmware ?? null,
    metrics: doc?.vitals.metrics ?? {},
    ownerId: state.ownerId,
    organizationId: state.organizationId,
    lastSeenAt: seenAt(doc),
    createdAt: time(state.createdAt),
    updatedAt: time(state.updatedAt),
    revision,
  };
}

export function logAnswer(doc: DeviceLogDoc) {
  const { id, event, level, message, value, data } = doc;
  const times = { time: time(doc.at), receivedAt: time(doc.receivedAt) };
  return { id, event, level, message, value, data, ...times };
}

interface Listed<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
  readonly total?: number;
}

/** A list, with its totals when it was asked for by page. */
export function listAnswer<Item, Shown>(
  { items, nextCursor, total }: Listed<Item>,
  show: (item: Item) => Shown,
  { limit, page }: { readonly limit: number; readonly page?: number | undefined },
) {
  const totals = { total, page, limit, totalPages: Math.ceil((total ?? 0) / limit) };
  return { items: items.map(show), nextCursor, ...(page !== undefined && totals) };
}
