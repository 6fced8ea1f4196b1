import { catalog } from '../../events/catalog.js';
import type { EventMetadata, NewEvent, Position } from '../../events/envelope.js';
import type { TelemetryEvent } from '../../events/telemetry.js';
import type { DeviceState } from '../device/state.js';
import { eventId, metadataOf, type Origin } from '../origin.js';
import { isRefusal, type Refusal } from '../refusal.js';
import { recordTelemetry, type Telemetry } from './record.js';

/** One report of one device, with the command that it is. */
export interface Report {
  readonly telemetry: Telemetry;
  readonly origin: Origin;
  /** Which of the command's events it is: a batch is one command. */
  readonly index: number;
}

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
  /** When it was recorded, if it came before. */
  readonly firstAt?: number | undefined;
}

/** Decides on a device's reports, in their order. */
export function decideOn(
  state: DeviceState,
  reports: readonly Report[],
  now: number,
): readonly Decided[] {
  return reports.map(({ telemetry, origin, index }) => ({
    event: recordTelemetry(state, telemetry, now),
    id: eventId(origin.commandId, index),
    origin,
  }));
}

/** Whether a caller chose the id of one of them, which may have come before. */
export function anyNamed(decided: readonly Decided[]): boolean {
  return decided.some(({ origin }) => origin.commandHash !== undefined);
}

/** Neighbours, and the devices of a batch, are of one command: one object, which a store then writes out once. */
let last: { origin: Origin; version: number; metadata: EventMetadata } | undefined;

/** The events of those reports that were not refused. */
export function toAppend(decided: readonly Decided[], time: number): readonly NewEvent[] {
  const [first] = decided;
  // Nearly always one, as an array of just that size: one that grows takes room for many.
  if (first !== undefined && decided.length === 1) {
    return isRefusal(first.event) ? [] : [toEvent(first.event, first, time)];
  }
  return decided.flatMap((one) => (isRefusal(one.event) ? [] : [toEvent(one.event, one, time)]));
}

function toEvent({ type, data }: TelemetryEvent, { id, origin }: Decided, time: number): NewEvent {
  const version = catalog.definition(type)?.version ?? 1;
  if (last?.origin !== origin || last.version !== version) {
    last = { origin, version, metadata: metadataOf(origin, version) };
  }
  return { id, type, time, data, metadata: last.metadata };
}
