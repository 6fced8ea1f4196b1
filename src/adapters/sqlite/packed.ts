import type { Expected } from '../../events/eventStore.js';
import type { AppendText, EventText } from '../json/eventText.js';
import type { AppendRequest, Outcome } from './logWriter.js';

/**
 * Appends on their way to the writer thread and what became of them on the way back, as flat arrays:
 * to clone one costs a fraction of what as many small arrays cost.
 */
export type PackedAppends = readonly (string | number)[];
export type PackedOutcomes = readonly number[];

/** Appends for one message. */
export interface AppendPack {
  add(append: AppendText): void;
  /** How many events wait. */
  events(): number;
  /** Takes out all that waits. */
  take(): PackedAppends;
}

export function appendPack(): AppendPack {
  let packed: (string | number)[] = [];
  let count = 0;
  /** A batch's events share their metadata: it goes along once. */
  let lastMetadata = '';
  return {
    add({ stream, expected, events }) {
      packed.push(stream, expected, events.length);
      for (const [id, type, time, data, metadata] of events) {
        packed.push(id, type, time, data, metadata === lastMetadata ? '' : metadata);
        lastMetadata = metadata;
      }
      count += events.length;
    },
    events: () => count,
    take() {
      const taken = packed;
      packed = [];
      count = 0;
      lastMetadata = '';
      return taken;
    },
  };
}

export function unpackAppends(packed: PackedAppends): AppendRequest[] {
  const appends: AppendRequest[] = [];
  let at = 0;
  let lastMetadata = '';
  while (at < packed.length) {
    // What `add` has put there, place by place.
    const [stream, expected, count] = packed.slice(at, at + 3) as [string, Expected, number];
    at += 3;
    const events: EventText[] = [];
    for (const end = at + 5 * count; at < end; at += 5) {
      const event = packed.slice(at, at + 5) as [...EventText];
      lastMetadata = event[4] || lastMetadata;
      event[4] = lastMetadata;
      events.push(event);
    }
    appends.push([stream, expected, events]);
  }
  return appends;
}

/** The position of an append that wrote nothing: no event stands there. */
const WROTE_NOTHING = 0;

export function packOutcomes(outcomes: readonly Outcome[]): PackedOutcomes {
  const packed: number[] = [];
  for (const outcome of outcomes) {
    packed.push(outcome[1], outcome[0] === 'appended' ? outcome[2] : WROTE_NOTHING);
  }
  return packed;
}

export function unpackOutcomes(packed: PackedOutcomes): Outcome[] {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < packed.length; at += 2) {
    const [revision = -1, position = WROTE_NOTHING] = [packed[at], packed[at + 1]];
    outcomes.push(
      position === WROTE_NOTHING ? ['wrong', revision] : ['appended', revision, position],
    );
  }
  return outcomes;
}
