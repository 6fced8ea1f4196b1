import { START, type Position, type RecordedEvent } from '../events/envelope.js';
import { catalog } from '../events/catalog.js';
import type { Family } from './decider.js';

/** A command that this stream has already answered, of those whose caller chose the id. */
export interface Answered {
  readonly commandId: string;
  readonly commandHash: string;
  /** Where the stream stood when it was answered. */
  readonly revision: number;
  readonly position: Position;
}

/** How many answered commands are remembered: a repeat that comes later runs as a new command. */
export const ANSWERED_KEPT = 100;

/** A stream's state and where it stands. */
export interface Loaded<State> {
  readonly state: State;
  /** -1 while the stream does not exist. */
  readonly revision: number;
  readonly position: Position;
  readonly answered: readonly Answered[];
}

/** A stream that does not exist yet. */
export function notYet<State>(family: Family<State>): Loaded<State> {
  return { state: family.initial, revision: -1, position: START, answered: NONE };
}

/** The stream with one more of its events. */
export function advance<State>(
  family: Family<State>,
  loaded: Loaded<State>,
  event: RecordedEvent,
): Loaded<State> {
  return {
    state: family.evolve(loaded.state, catalog.upcast(event), event.time),
    revision: event.revision,
    position: event.position,
    answered: remember(loaded.answered, event),
  };
}

const NONE: readonly Answered[] = [];

function remember(answered: readonly Answered[], event: RecordedEvent): readonly Answered[] {
  const { commandId, commandHash } = event.metadata;
  if (commandHash === undefined) return answered;
  const { revision, position } = event;
  const others = answered.filter((one) => one.commandId !== commandId);
  return [...others.slice(1 - ANSWERED_KEPT), { commandId, commandHash, revision, position }];
}
