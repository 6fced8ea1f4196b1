import { catalog } from '../../events/catalog.js';
import type { NewEvent, Position } from '../../events/envelope.js';
import type { TelemetryEvent } from '../../events/telemetry.js';
import { metadataOf, type Origin } from '../origin.js';
import { isRefusal, type Refusal } from '../refusal.js';

/** A report and what was decided of it. */
export interface Decided {
  readonly event: TelemetryEvent | Refusal;
  /** The event's id, which follows from the report's command: a repeat has the same. */
  readonly id: string;
  readonly origin: Origin;
}

/** The answer to a report that is in the log. */
export interface Recorded {
  readonly eventId: string;
  /** What a read has to have seen to see this report and what it changed of the device. */
  readonly position: Position;
}

/** The events of those reports that were not refused. */
export function toAppend(decided: readonly Decided[], time: number): readonly NewEvent[] {
  const events: NewEvent[] = [];
  for (const { event, id, origin } of decided) {
    if (isRefusal(event)) continue;
    const { type, data } = event;
    const metadata = metadataOf(origin, catalog.definition(type)?.version ?? 1);
    events.push({ id, type, time, data, metadata });
  }
  return events;
}
