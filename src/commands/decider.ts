import type { DomainEvent } from '../events/catalog.js';
import type { Refusal } from './refusal.js';

/**
 * How the state of one stream family follows from its events. `evolve` is pure and total: an event
 * that a state does not expect leaves it as it was.
 */
export interface Family<State> {
  /** The stream family's name, as in events/streams.ts. */
  readonly name: string;
  readonly initial: State;
  /** How much memory a state takes, in units of about a kilobyte; 1 if it is not said. */
  weight?(state: State): number;
  /** `time` is when the event was decided, in milliseconds since the epoch. */
  evolve(state: State, event: DomainEvent, time: number): State;
}

/** What a command comes to: what happens because of it (nothing, if it already holds), or why not. */
export type Decision<Event extends DomainEvent> = readonly Event[] | Refusal;
