import type { TObject } from 'typebox';
import { Check, Errors } from 'typebox/value';
import type { Decision, Family } from '../../src/commands/decider.js';
import { isRefusal, type RefusalCode } from '../../src/commands/refusal.js';
import { catalog, type DomainEvent } from '../../src/events/catalog.js';

/** When events happened whose time a spec does not tell. */
export const BEFORE = Date.UTC(2026, 0, 1);

/** An event that happened at a time that matters. */
export interface Timed {
  readonly at: number;
  readonly event: DomainEvent;
}

export const at = (time: number, event: DomainEvent): Timed => ({ at: time, event });

interface Outcome {
  /** It comes to these events and to no others. */
  then(...expected: readonly DomainEvent[]): void;
  /** It holds already: nothing happens. */
  nothing(): void;
  refused(code: RefusalCode): void;
}

/** `given(family, …events).when(decide).then(…events)`: what a command comes to on a stream that tells of this. */
export function given<State>(family: Family<State>, ...past: readonly (DomainEvent | Timed)[]) {
  return {
    when(decide: (state: State) => Decision<DomainEvent>): Outcome {
      const state = stateAfter(family, ...past);
      const decision = decide(state);
      if (!isRefusal(decision)) decision.forEach(expectInCatalogue);
      return {
        then: (...expected) => expect(decision).toEqual(expected),
        nothing: () => expect(decision).toEqual([]),
        refused: (code) => expect(decision).toMatchObject({ refused: code }),
      };
    },
    /** The state itself, where it is what other parts ask for. */
    is: (expected: object) => expect(stateAfter(family, ...past)).toMatchObject(expected),
  };
}

/** The state that follows from these events, each of which is what the catalogue says. */
export function stateAfter<State>(
  family: Family<State>,
  ...past: readonly (DomainEvent | Timed)[]
): State {
  return past
    .map((one) => ('event' in one ? one : at(BEFORE, one)))
    .reduce((state, { at: time, event }) => {
      expectInCatalogue(event);
      return family.evolve(state, event, time);
    }, family.initial);
}

/** The event's type is known, and its data has the fields that the catalogue names and no others. */
export function expectInCatalogue({ type, data }: DomainEvent): void {
  const schema = catalog.definition(type)?.schema as TObject | undefined;
  if (schema === undefined) throw new Error(`${type} is not in the catalogue`);
  expect(Check(schema, data) ? [] : [type, ...Errors(schema, data)]).toEqual([]);
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(data)));
}
