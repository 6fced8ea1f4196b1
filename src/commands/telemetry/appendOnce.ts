import type { Position, RecordedEvent } from '../../events/envelope.js';
import { WrongRevision, type EventStore, type Expected } from '../../events/eventStore.js';
import { telemetryStream } from '../../events/streams.js';
import { isRefusal, refuse, type Refusal } from '../refusal.js';
import { chunked } from './chunked.js';
import { toAppend, type Decided, type Recorded } from './decided.js';

/**
 * How many of a device's last telemetry events are looked through for a command that came before,
 * and one more for each further report that comes with it: a batch sent again finds all of itself.
 */
export const ONCE_WINDOW = 1_000;

/** How often the look and the append are tried before the caller is told that there is too much contention. */
const ATTEMPTS = 20;

const DAY_MS = 86_400_000;

/**
 * Appends the telemetry of commands whose ids their callers chose, so that each stands in the log
 * once: those among the device's last events, of today and yesterday, are answered as the first
 * time. Each append names the revision that was looked at, so two at once can't both be first.
 */
export async function appendOnce(
  store: EventStore,
  deviceId: string,
  decided: readonly Decided[],
  now: number,
): Promise<readonly (Recorded | Refusal)[]> {
  const window = ONCE_WINDOW + decided.length - 1;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { known, expected } = await lookBack(store, deviceId, now, window);
    const fresh = decided.filter(({ event, id, origin }) => {
      if (isRefusal(event) || known.has(id)) return false;
      known.set(id, { commandHash: origin.commandHash });
      return true;
    });
    try {
      await appendFresh(store, telemetryStream(deviceId, now), fresh, expected, known, now);
      return decided.map((one) => answer(one, known.get(one.id)));
    } catch (error) {
      if (!(error instanceof WrongRevision)) throw error;
    }
  }
  return decided.map(({ event }) => (isRefusal(event) ? event : refuse('TOO_MUCH_CONTENTION')));
}

/** Appends in as many parts as a store takes, and notes what then stands there. */
async function appendFresh(
  store: EventStore,
  stream: string,
  fresh: readonly Decided[],
  after: Expected,
  known: Map<string, Known>,
  now: number,
): Promise<void> {
  let expected = after;
  for (const chunk of chunked(fresh)) {
    const { revision, position } = await store.append(stream, toAppend(chunk, now), expected);
    expected = revision;
    // The store takes the same ids at the same place for a repeat: what it answers then stands
    // there already, and may be what another has sent under the same key at the same time.
    const written = { from: revision, direction: 'backwards', limit: chunk.length } as const;
    for await (const { id, metadata } of store.read(stream, written)) {
      known.set(id, { commandHash: metadata.commandHash, position });
    }
  }
}

interface Known {
  readonly commandHash: string | undefined;
  /** Absent for one that is only about to be appended. */
  readonly position?: Position;
}

function answer({ event, id, origin }: Decided, known: Known | undefined): Recorded | Refusal {
  if (isRefusal(event)) return event;
  if (known?.commandHash !== origin.commandHash) return refuse('IDEMPOTENCY_KEY_REUSED');
  if (known?.position === undefined) throw new Error(`event ${id} was neither known nor appended`);
  return { eventId: id, position: known.position };
}

async function lookBack(store: EventStore, deviceId: string, now: number, window: number) {
  const known = new Map<string, Known>();
  let expected: Expected = 'none';
  let looked = 0;
  const look = async (stream: string, each: (event: RecordedEvent) => void) => {
    const limit = window - looked;
    for await (const event of store.read(stream, { direction: 'backwards', limit })) {
      looked++;
      each(event);
      known.set(event.id, {
        commandHash: event.metadata.commandHash,
        position: event.position,
      });
    }
  };
  await look(telemetryStream(deviceId, now), ({ revision }) => {
    if (expected === 'none') expected = revision;
  });
  if (looked < window) await look(telemetryStream(deviceId, now - DAY_MS), () => undefined);
  return { known, expected };
}
