import type { RecordedEvent } from './envelope.js';
import type { EventDefinition } from './definition.js';
import { deviceEvents, type DeviceEvent } from './device.js';
import { organizationEvents, type OrganizationEvent } from './organization.js';
import { sessionEvents, type SessionEvent } from './session.js';
import { telemetryEvents, type TelemetryEvent } from './telemetry.js';
import { emailEvents, userEvents, type EmailEvent, type UserEvent } from './user.js';

/** Every event of the system, by stream family. */
export const families = {
  user: userEvents,
  email: emailEvents,
  organization: organizationEvents,
  session: sessionEvents,
  device: deviceEvents,
  telemetry: telemetryEvents,
} as const satisfies Record<string, readonly EventDefinition[]>;

export type DomainEvent =
  UserEvent | EmailEvent | OrganizationEvent | SessionEvent | DeviceEvent | TelemetryEvent;

/** A domain event as the log keeps it, its data in today's shape. */
export type Recorded<Event extends DomainEvent = DomainEvent> = Event extends DomainEvent
  ? RecordedEvent<Event['type'], Event['data']>
  : never;

/** Data was found that no upcaster leads from: written by a newer release, or by something else. */
export class UnknownEvent extends Error {
  override readonly name = 'UnknownEvent';
}

/** The definitions by type name, and the way from any stored version to today's. */
export interface Catalog {
  /** The definition of a type, undefined for one that this release does not know. */
  definition(type: string): EventDefinition | undefined;
  /**
   * The event with its data in today's shape.
   * @throws UnknownEvent for an unknown type or a version newer than this release knows.
   */
  upcast(event: RecordedEvent): Recorded;
}

/** Builds a catalogue from definitions. */
export function makeCatalog(definitions: Iterable<EventDefinition>): Catalog {
  const byType = new Map<string, EventDefinition>();
  for (const definition of definitions) byType.set(definition.type, definition);

  return {
    definition: (type) => byType.get(type),
    upcast(event) {
      const definition = byType.get(event.type);
      const stored = event.metadata.version ?? 1;
      if (definition === undefined || stored > definition.version) {
        throw new UnknownEvent(`${event.type} version ${stored} in ${event.stream}`);
      }
      if (stored === definition.version) return event as Recorded;
      const data = definition.upcasters
        .slice(stored - 1)
        .reduce((older, upcast) => upcast(older), event.data as Record<string, unknown>);
      return { ...event, data } as Recorded;
    },
  };
}

export const catalog = makeCatalog(Object.values(families).flat());
