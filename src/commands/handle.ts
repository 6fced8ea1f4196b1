import { catalog, type DomainEvent } from '../events/catalog.js';
import type { NewEvent, Position, RecordedEvent } from '../events/envelope.js';
import { WrongRevision, type EventStore } from '../events/eventStore.js';
import type { Runtime } from '../runtime.js';
import type { Decision } from './decider.js';
import type { HotFamily } from './hotFamily.js';
import { advance, type Loaded } from './loaded.js';
import { oneByOne } from './oneByOne.js';
import { eventId, metadataOf, type Origin } from './origin.js';
import { isRefusal, refuse, type Refusal } from './refusal.js';

/** How often a conflict is decided again before the caller is told that there is too much contention. */
const ATTEMPTS = 50;

export interface Command<State, Event extends DomainEvent> {
  readonly stream: string;
  readonly family: HotFamily<State>;
  /** May be called again with a newer state. */
  readonly decide: (state: State) => Decision<Event>;
  readonly origin: Origin;
  /** The revision that the caller saw (If-Match): a conflict is then theirs to solve, never retried. */
  readonly ifRevision?: number | undefined;
}

export interface Handled<State> {
  readonly state: State;
  readonly revision: number;
  /** The position of the stream's last event: what a read has to have seen to see this. */
  readonly position: Position;
  /** Whether the answer is that of an earlier run of the same command. */
  readonly repeated: boolean;
}

export interface HandlerDeps {
  readonly store: EventStore;
  readonly runtime: Runtime;
}

/**
 * Runs a command on one stream: load → decide → append → retry. A command whose id the stream has
 * already answered is answered again from the state of that time; under another content it is
 * refused as IDEMPOTENCY_KEY_REUSED. Nothing decided means nothing appended.
 * @throws StoreUnavailable when the log can't take it: repeat with the same command id.
 */
export function handler({ store, runtime }: HandlerDeps) {
  const inTurn = oneByOne();

  return async function handle<State, Event extends DomainEvent>(
    command: Command<State, Event>,
  ): Promise<Handled<State> | Refusal> {
    const { stream, family, ifRevision } = command;
    let loaded = await family.load(stream);
    if (ifRevision !== undefined && ifRevision !== loaded.revision) {
      // The hot state may be behind what the caller saw in another process.
      loaded = await family.reload(stream);
    }
    const outcome = await attempt(command, loaded);
    if (outcome !== 'overtaken') return outcome;
    // Trying again all at once, the losers of a race would make losers of each other.
    return inTurn(stream, () => retry(command));
  };

  async function retry<State, Event extends DomainEvent>(
    command: Command<State, Event>,
  ): Promise<Handled<State> | Refusal> {
    for (let again = 1; again < ATTEMPTS; again++) {
      const outcome = await attempt(command, await command.family.reload(command.stream));
      if (outcome !== 'overtaken') return outcome;
    }
    return refuse('TOO_MUCH_CONTENTION');
  }

  async function attempt<State, Event extends DomainEvent>(
    command: Command<State, Event>,
    loaded: Loaded<State>,
  ): Promise<Handled<State> | Refusal | 'overtaken'> {
    const { stream, family, origin, ifRevision } = command;
    const earlier = await answeredBefore(command, loaded);
    if (earlier !== undefined) return earlier;
    if (ifRevision !== undefined && ifRevision !== loaded.revision) {
      return refuse('REVISION_MISMATCH');
    }
    const decision = command.decide(loaded.state);
    if (isRefusal(decision) || decision.length === 0) {
      // Where nothing is appended no expected revision tells that another process has been here.
      if (!(await family.isCurrent(stream, loaded))) return 'overtaken';
      return isRefusal(decision) ? decision : { ...where(loaded), repeated: false };
    }

    const events = prepare(decision, origin, runtime.now());
    const expected = loaded.revision < 0 ? 'none' : loaded.revision;
    try {
      const { position } = await store.append(stream, events, expected);
      // The store takes the same command for a repeat if it comes twice at once: what it answers
      // then stands there already, and is not what was decided here.
      if (origin.commandHash !== undefined) {
        const stands = await answeredBefore(command, await family.reload(stream));
        if (stands !== undefined)
          return isRefusal(stands) ? stands : { ...stands, repeated: false };
      }
      let after = loaded;
      for (const event of record(events, stream, loaded.revision, position)) {
        after = advance(family, after, event);
      }
      family.keep(stream, after);
      return { ...where(after), repeated: false };
    } catch (error) {
      if (error instanceof WrongRevision) return 'overtaken';
      throw error;
    }
  }
}

export type Handle = ReturnType<typeof handler>;

async function answeredBefore<State, Event extends DomainEvent>(
  { stream, family, origin }: Command<State, Event>,
  loaded: Loaded<State>,
): Promise<Handled<State> | Refusal | undefined> {
  if (origin.commandHash === undefined) return undefined;
  const answered = loaded.answered.find((one) => one.commandId === origin.commandId);
  if (answered === undefined) return undefined;
  if (answered.commandHash !== origin.commandHash) return refuse('IDEMPOTENCY_KEY_REUSED');
  const then =
    answered.revision === loaded.revision ? loaded : await family.at(stream, answered.revision);
  return { ...where(then), repeated: true };
}

function where<State>({ state, revision, position }: Loaded<State>) {
  return { state, revision, position };
}

/** The events of one command, with their ids, times and origin. */
export function prepare(
  events: readonly DomainEvent[],
  origin: Origin,
  time: number,
): readonly NewEvent[] {
  return events.map(({ type, data }, index) => ({
    id: eventId(origin.commandId, index),
    type,
    time,
    data,
    metadata: metadataOf(origin, catalog.definition(type)?.version ?? 1),
  }));
}

function record(
  events: readonly NewEvent[],
  stream: string,
  after: number,
  position: Position,
): readonly RecordedEvent[] {
  return events.map((event, index) => ({
    ...event,
    stream,
    revision: after + 1 + index,
    position,
  }));
}
