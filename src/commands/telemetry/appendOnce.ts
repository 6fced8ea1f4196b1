import { LRUCache } from 'lru-cache';
import type { Position, RecordedEvent } from '../../events/envelope.js';
import { WrongRevision, type EventStore, type Expected } from '../../events/eventStore.js';
import { telemetryStream } from '../../events/streams.js';
import { isRefusal, refuse, type Refusal } from '../refusal.js';
import { chunked } from './chunked.js';
import { toAppend, type Decided, type Recorded } from './decided.js';
import { recentIds, type RecentIds } from './recentIds.js';

/**
 * How many of a device's last telemetry events are looked through for a command that came before,
 * and one more for each further report that comes with it: a batch sent again finds all of itself.
 */
export const ONCE_WINDOW = 1_000;

/** How often the look and the append are tried before the caller is told that there is too much contention. */
const ATTEMPTS = 20;

const DAY_MS = 86_400_000;

/** How much is remembered, in events and in devices. */
export interface OnceLimits {
  readonly window: number;
  /** Ids of a device, in four bytes each; more than the window, since a batch looks further back. */
  readonly ids: number;
  readonly devices: number;
  /** Of more new events than that the device's last ones are read again instead. */
  readonly newer: number;
}

const LIMITS: OnceLimits = { window: ONCE_WINDOW, ids: 2_048, devices: 4_096, newer: 500 };

/**
 * Appends the telemetry of commands whose ids their callers chose, so that each stands in the log
 * once: those among the device's last events, of today and yesterday, are answered as the first
 * time. Each append names the revision that was looked at, so two at once can't both be first.
 *
 * What was looked at is remembered as the prints of its ids: of a device that goes on reporting only
 * what is new is read, and all of it only where a print says that a report may have come before.
 */
export function onceAppender(store: EventStore, limits: OnceLimits = LIMITS) {
  const remembered = new LRUCache<string, Remembered>({ max: limits.devices });

  async function appendOnce(
    deviceId: string,
    decided: readonly Decided[],
    now: number,
  ): Promise<readonly (Recorded | Refusal)[]> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { known, expected } = await look(deviceId, decided, now);
      const fresh = decided.filter(({ event, id, origin }) => {
        if (isRefusal(event) || known.has(id)) return false;
        known.set(id, { commandHash: origin.commandHash });
        return true;
      });
      try {
        await appendFresh(deviceId, fresh, expected, known, now);
        return decided.map((one) => answer(one, known.get(one.id)));
      } catch (error) {
        if (!(error instanceof WrongRevision)) throw error;
      }
    }
    return decided.map(({ event }) => (isRefusal(event) ? event : refuse('TOO_MUCH_CONTENTION')));
  }

  /** What is known of such reports that came before, and where the stream stands. */
  async function look(deviceId: string, decided: readonly Decided[], now: number): Promise<Looked> {
    const window = limits.window + decided.length - 1;
    const today = telemetryStream(deviceId, now);
    const recent = remembered.get(deviceId);
    const areNew =
      recent !== undefined &&
      (await caughtUp(recent, today, telemetryStream(deviceId, now - DAY_MS))) &&
      recent.ids.covers(window) &&
      !decided.some(({ id }) => recent.ids.mayHold(id));
    if (areNew) {
      const revision = recent.ids.revision(today);
      return { known: new Map(), expected: revision < 0 ? 'none' : revision };
    }
    const last = await lastEvents(deviceId, now, window);
    const ids = recentIds(limits.ids, last.toReversed(), last.length < window);
    remembered.set(deviceId, { today, ids });
    return lookedAt(last, today);
  }

  /** Whether it is of these days, and all that has come since was taken in. */
  async function caughtUp(recent: Remembered, today: string, yesterday: string): Promise<boolean> {
    // A day goes by, but a clock that is set back may ask for what was let go of.
    if (recent.today !== today && recent.today !== yesterday) return false;
    recent.today = today;
    const { ids } = recent;
    const wasToday = ids.revision(today) >= 0;
    for (const stream of [yesterday, today]) {
      let newer = 0;
      const from = ids.revision(stream) + 1;
      for await (const event of store.read(stream, { from, limit: limits.newer })) {
        ids.add(event);
        newer += 1;
      }
      if (newer === limits.newer) return false;
      // By a clock that is behind: what is remembered last is then not what came last by the day.
      if (newer > 0 && wasToday && stream !== today) return false;
    }
    return true;
  }

  /** Newest first, without what they say: it may be a thousand, and much. */
  async function lastEvents(
    deviceId: string,
    now: number,
    window: number,
  ): Promise<readonly Seen[]> {
    const last: Seen[] = [];
    for (const time of [now, now - DAY_MS]) {
      const limit = window - last.length;
      if (limit === 0) break;
      const stream = telemetryStream(deviceId, time);
      for await (const event of store.read(stream, { direction: 'backwards', limit })) {
        const { data: _, ...seen } = event;
        last.push(seen);
      }
    }
    return last;
  }

  /** Appends in as many parts as a store takes, and notes what then stands there. */
  async function appendFresh(
    deviceId: string,
    fresh: readonly Decided[],
    after: Expected,
    known: Map<string, Known>,
    now: number,
  ): Promise<void> {
    const stream = telemetryStream(deviceId, now);
    let expected = after;
    for (const chunk of chunked(fresh)) {
      const { revision, position } = await store.append(stream, toAppend(chunk, now), expected);
      expected = revision;
      // The store takes the same ids at the same place for a repeat: what it answers then stands
      // there already, and may be what another has sent under the same key at the same time.
      const written = { from: revision - chunk.length + 1, limit: chunk.length };
      for await (const event of store.read(stream, written)) {
        known.set(event.id, { commandHash: event.metadata.commandHash, position });
        remembered.get(deviceId)?.ids.add(event);
      }
    }
  }

  return appendOnce;
}

export type AppendOnce = ReturnType<typeof onceAppender>;

type Seen = Omit<RecordedEvent, 'data'>;

/** What is remembered of a device. */
interface Remembered {
  /** The stream of the day of its last report. */
  today: string;
  readonly ids: RecentIds;
}

interface Looked {
  readonly known: Map<string, Known>;
  readonly expected: Expected;
}

interface Known {
  readonly commandHash: string | undefined;
  /** Absent for one that is only about to be appended. */
  readonly position?: Position;
  /** When it was recorded, if it came before. */
  readonly firstAt?: number;
}

function answer({ event, id, origin }: Decided, known: Known | undefined): Recorded | Refusal {
  if (isRefusal(event)) return event;
  if (known?.commandHash !== origin.commandHash) return refuse('IDEMPOTENCY_KEY_REUSED');
  if (known?.position === undefined) throw new Error(`event ${id} was neither known nor appended`);
  return { eventId: id, position: known.position, firstAt: known.firstAt };
}

/** @param last newest first */
function lookedAt(last: readonly Seen[], today: string): Looked {
  const [newest] = last;
  return {
    known: new Map(last.map((event) => [event.id, knownAs(event)])),
    expected: newest?.stream === today ? newest.revision : 'none',
  };
}

function knownAs({ metadata, position, time }: Seen): Known {
  return { commandHash: metadata.commandHash, position, firstAt: time };
}
