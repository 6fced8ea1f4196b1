import { catalog, type DomainEvent, type Recorded } from '../../src/events/catalog.js';
import type { NewEvent, Position, RecordedEvent } from '../../src/events/envelope.js';
import type { AnyProjection } from '../../src/projections/projection.js';
import type { Doc } from '../../src/projections/readModels.js';
import { at, BEFORE, expectInCatalogue, type Timed } from '../spec/given.js';

/** The stream that an event would be in: enough of one for a fold, which sees its revisions. */
export function streamOf({ type, data }: DomainEvent): string {
  if (type === 'HeartbeatRecorded' || type === 'LogRecorded') return `telemetry-${data.deviceId}`;
  if (type === 'UserRegistered') return `user-${data.userId}`;
  if (type === 'EmailClaimed') return `email-${data.userId}`;
  if ('deviceId' in data) return `device-${data.deviceId}`;
  if ('organizationId' in data) return `organization-${data.organizationId}`;
  return 'sessionId' in data ? `session-${data.sessionId}` : `user-${data.userId}`;
}

/** The events as a log would have recorded them. */
export function recorded(...past: readonly (DomainEvent | Timed)[]): readonly Recorded[] {
  const revisions = new Map<string, number>();
  return past.map((one, index) => {
    const { at: time, event } = 'event' in one ? one : at(BEFORE, one);
    expectInCatalogue(event);
    const stream = streamOf(event);
    const revision = revisions.get(stream) ?? 0;
    revisions.set(stream, revision + 1);
    return {
      ...event,
      id: eventId(index),
      stream,
      revision,
      position: BigInt(index + 1) as Position,
      time,
      metadata: { actor: { kind: 'system', id: 'test' }, commandId: `command ${index}` },
    };
  });
}

/** The same events on their way into a log. */
export function newEvent(
  event: DomainEvent,
  index: number,
  given: Partial<NewEvent> = {},
): NewEvent {
  return {
    ...event,
    id: eventId(index),
    time: BEFORE + index,
    metadata: { actor: { kind: 'system', id: 'test' }, commandId: `command ${index}` },
    ...given,
  };
}

export const eventId = (index: number) =>
  `00000000-0000-5000-8000-${index.toString(16).padStart(12, '0')}`;

/**
 * What a projection comes to: each of its documents as a plain fold, one event after the other, has
 * it, as JSON would bring it back.
 */
export function documentsOf(
  projection: AnyProjection,
  ...past: readonly (DomainEvent | Timed)[]
): Readonly<Record<string, Doc>> {
  return foldedBy(projection, recorded(...past));
}

export function foldedBy(
  projection: AnyProjection,
  events: readonly Recorded[],
): Readonly<Record<string, Doc>> {
  const documents = new Map<string, Doc>();
  for (const event of events) {
    if (!projection.types.includes(event.type)) continue;
    for (const key of [projection.keys(event)].flat()) {
      const before = documents.get(key);
      const frozen = JSON.stringify(before);
      const doc = projection.fold(before, [event], key);
      expect(JSON.stringify(before)).toBe(frozen);
      if (doc === undefined) documents.delete(key);
      else documents.set(key, doc);
    }
  }
  return JSON.parse(JSON.stringify(Object.fromEntries(documents))) as Record<string, Doc>;
}

/** What was told, each event where it came first. */
export function once(events: readonly RecordedEvent[]): readonly Recorded[] {
  const seen = new Set<string>();
  return events.flatMap((event) => {
    if (seen.has(event.id)) return [];
    seen.add(event.id);
    return [catalog.upcast(event)];
  });
}

/** As queries list them. */
export function inOrderOfKeys(documents: Readonly<Record<string, Doc>>): readonly Doc[] {
  return Object.entries(documents)
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([, doc]) => doc);
}
