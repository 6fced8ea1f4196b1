import type Database from 'better-sqlite3';
import type { Expected } from '../../events/eventStore.js';
import type { EventText } from '../json/eventText.js';
import { createStreamCache, windowStart, type StreamState } from './streamCache.js';
import { takingTurns } from './turns.js';

/** An append as it travels to the writer. */
export type AppendRequest = readonly [
  stream: string,
  expected: Expected,
  events: readonly EventText[],
];

/** What became of one append. `wrong` carries the stream's last revision, -1 when it has none. */
export type Outcome =
  | readonly [kind: 'appended', revision: number, position: number]
  | readonly [kind: 'wrong', revision: number];

export interface LogWriter {
  /**
   * Writes appends in one transaction, with one fsync for all. One that conflicts writes nothing and
   * leaves the others alone.
   * @throws whatever SQLite throws: then nothing of the group is written.
   */
  write(group: readonly AppendRequest[]): Outcome[];
}

type Standing = readonly [revision: number, position: number, hexId: string];

/** Streams remembered: about 40 MB when all are used. */
const REMEMBERED_STREAMS = 131_072;

/** The one place that writes events. It belongs to one thread and knows nothing of threads. */
export function createLogWriter(db: Database.Database): LogWriter {
  const beginTurn = takingTurns(db);
  const streams = createStreamCache(REMEMBERED_STREAMS);
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  const readHead = db.prepare<[], number>('SELECT ifnull(max(position), 0) FROM events').pluck();
  const findStream = db
    .prepare<[string], [id: number, revision: number]>(
      'SELECT id, (SELECT ifnull(max(revision), -1) FROM events WHERE stream = s.id) FROM streams s WHERE name = ?',
    )
    .raw();
  const findStanding = db
    .prepare<[stream: number, first: number, last: number], Standing>(
      'SELECT revision, position, lower(hex(id)) FROM events WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision',
    )
    .raw();
  const addStream = db.prepare<[string]>('INSERT INTO streams (name) VALUES (?)');
  const addEvent = db.prepare<[number, number, number, string, string, number, string, string]>(
    "INSERT INTO events VALUES (?, ?, ?, ?, unhex(?, '-'), ?, ?, ?)",
  );

  /** The log's last position; unknown at first, after a rollback, and when others have written. */
  let head: number | undefined;

  function forget(): void {
    streams.clear();
    head = undefined;
  }

  function load(name: string): StreamState | undefined {
    const found = findStream.get(name);
    return found && streams.add(name, ...found);
  }

  function create(name: string): StreamState {
    return streams.add(name, Number(addStream.run(name).lastInsertRowid), -1);
  }

  function append([name, expected, events]: AppendRequest): Outcome {
    const known = streams.get(name) ?? load(name);
    const last = known?.revision ?? -1;
    const believed = expected === 'any' ? last : expected === 'none' ? -1 : expected;
    const repeated =
      known &&
      (expected === 'any'
        ? repeatedRecently(known, events)
        : believed < last && standingAt(known, believed + 1, events));
    if (repeated) return repeated;
    return believed === last ? insert(known ?? create(name), events) : ['wrong', last];
  }

  function insert(stream: StreamState, events: readonly EventText[]): Outcome {
    let position = head ?? readHead.get() ?? 0;
    for (const [id, type, time, data, metadata] of events) {
      stream.revision += 1;
      position += 1;
      addEvent.run(position, stream.id, stream.revision, type, id, time, data, metadata);
      streams.remember(stream, stream.revision, id);
    }
    head = position;
    return ['appended', stream.revision, position];
  }

  function repeatedRecently(
    stream: StreamState,
    events: readonly EventText[],
  ): Outcome | undefined {
    const lastId = events.at(-1)?.[0];
    if (lastId === undefined) return undefined;
    rememberWindow(stream);
    for (const revision of streams.candidates(stream, lastId)) {
      const found = standingAt(stream, revision - events.length + 1, events);
      if (found) return found;
    }
    return undefined;
  }

  /** The answer that these events got if they stand in the stream from revision `first` on. */
  function standingAt(
    stream: StreamState,
    first: number,
    events: readonly EventText[],
  ): Outcome | undefined {
    const rows = findStanding.all(stream.id, first, first + events.length - 1);
    const last = rows.at(-1);
    const same =
      rows.length === events.length &&
      events.every(([id], index) => rows[index]?.[2] === id.replaceAll('-', ''));
    return same && last ? ['appended', last[0], last[1]] : undefined;
  }

  function rememberWindow(stream: StreamState): void {
    const from = windowStart(stream);
    if (stream.rememberedFrom <= from) return;
    for (const [revision, , id] of findStanding.all(stream.id, from, stream.rememberedFrom - 1)) {
      streams.remember(stream, revision, id);
    }
    stream.rememberedFrom = from;
  }

  return {
    write(group) {
      if (beginTurn()) forget();
      try {
        const outcomes = group.map(append);
        commit.run();
        return outcomes;
      } catch (error) {
        forget();
        // On a full disk SQLite may have rolled back by itself.
        if (db.inTransaction) rollback.run();
        throw error;
      }
    },
  };
}
