import type { EventMetadata, Position, RecordedEvent } from '../../events/envelope.js';
import { StoreUnavailable, type Direction, type Filter } from '../../events/eventStore.js';
import { storeFault } from './faults.js';
import { connectReader } from './logSchema.js';

/** A part of the log in one direction: between the two ends, both exclusive of what lies outside. */
export interface Stretch {
  /** Exclusive. */
  readonly after: Position;
  /** Inclusive. */
  readonly upTo: Position;
  readonly limit: number;
}

/** Events that were read in one go. */
export interface Page {
  readonly events: readonly RecordedEvent[];
  /** Whether there may be more of what was asked for. */
  readonly isFull: boolean;
}

/**
 * A page ends when it has so many characters of JSON, whatever its limit: as objects they take up to twenty
 * times that, which many large events would make more than a heap may hold.
 */
const MOST_CHARACTERS = 1_048_576;

/** Reads the log synchronously, a bounded page at a time, so that no read pins the WAL. */
export interface LogReader {
  /** The last position; START when the log is empty. */
  head(): Position;
  /** A page of one stream from revision `from` on, itself included. */
  streamPage(stream: string, from: number, direction: Direction, limit: number): Page;
  /** Prepares to read those events of the log that pass a filter, page by page. */
  scan(filter: Filter, direction: Direction): (stretch: Stretch) => Page;
  close(): void;
}

type Row = readonly [
  position: number,
  stream: string,
  revision: number,
  type: string,
  hexId: string,
  time: number,
  data: string,
  metadata: string,
];

const DATA = 6;

const COLUMNS =
  'e.position, s.name, e.revision, e.type, lower(hex(e.id)), e.time, e.data, e.metadata';
const LAST_REVISION = Number.MAX_SAFE_INTEGER;

/** @throws StoreUnavailable from everything, 'stopped' after `close`. */
export function openLogReader(file: string): LogReader {
  let closed = false;
  const guarded = <T>(read: () => T): T => {
    if (closed) throw new StoreUnavailable('stopped', `${file}: the event store is stopped`);
    try {
      return read();
    } catch (error) {
      throw storeFault(error, file);
    }
  };
  const db = guarded(() => connectReader(file));

  const readHead = guarded(() =>
    db.prepare<[], number>('SELECT ifnull(max(position), 0) FROM events').pluck(),
  );
  const streamPages = { forwards: streamPage('>=', 'ASC'), backwards: streamPage('<=', 'DESC') };

  function streamPage(comparison: '>=' | '<=', order: 'ASC' | 'DESC') {
    return guarded(() =>
      db
        .prepare<[name: string, revision: number, limit: number], Row>(
          `SELECT ${COLUMNS} FROM streams s JOIN events e ON e.stream = s.id
           WHERE s.name = ? AND e.revision ${comparison} ? ORDER BY e.revision ${order} LIMIT ?`,
        )
        .raw(),
    );
  }

  /** How many rows of the size of those read last make a page, and as many again. */
  let mostRows = Infinity;

  function pageOf(limit: number, read: (rows: number) => readonly Row[]): Page {
    const asked = Math.min(limit, mostRows);
    const rows = read(asked);
    const events: RecordedEvent[] = [];
    let characters = 0;
    for (const row of rows) {
      events.push(recordedEvent(row, file));
      characters += row[DATA].length;
      if (characters >= MOST_CHARACTERS) break;
    }
    if (events.length > 0) {
      mostRows = Math.ceil((2 * MOST_CHARACTERS * events.length) / characters);
    }
    return { events, isFull: events.length < rows.length || rows.length === asked };
  }

  return {
    head: () => guarded(() => BigInt(readHead.get() ?? 0) as Position),

    streamPage: (stream, from, direction, limit) =>
      guarded(() =>
        pageOf(limit, (rows) =>
          streamPages[direction].all(stream, Math.min(from, LAST_REVISION), rows),
        ),
      ),

    scan({ types, streams }, direction) {
      // CROSS JOIN keeps SQLite from beginning with the streams: the order is that of positions, and
      // `type` is looked at before the name is.
      const conditions = [
        'e.position > ? AND e.position <= ?',
        ...(types ? [`e.type IN (${types.map(() => '?').join()})`] : []),
        ...(streams ? [`(${streams.map(() => 'instr(s.name, ?) = 1').join(' OR ') || '0'})`] : []),
      ];
      const statement = guarded(() =>
        db
          .prepare<(string | number | bigint)[], Row>(
            `SELECT ${COLUMNS} FROM events e CROSS JOIN streams s ON s.id = e.stream
             WHERE ${conditions.join(' AND ')}
             ORDER BY e.position ${direction === 'forwards' ? 'ASC' : 'DESC'} LIMIT ?`,
          )
          .raw(),
      );
      const names = [...(types ?? []), ...(streams ?? [])];
      return ({ after, upTo, limit }) =>
        guarded(() => pageOf(limit, (rows) => statement.all(after, upTo, ...names, rows)));
    },

    close() {
      closed = true;
      db.close();
    },
  };
}

function recordedEvent(row: Row, file: string): RecordedEvent {
  const [position, stream, revision, type, id, time, data, metadata] = row;
  try {
    return {
      id: dashed(id),
      stream,
      revision,
      position: BigInt(position) as Position,
      type,
      time,
      data: JSON.parse(data),
      metadata: metadataOf(metadata),
    };
  } catch (cause) {
    throw new StoreUnavailable('damaged', `${file}: the event at ${position} can't be read`, {
      cause,
    });
  }
}

let lastMetadata: { readonly text: string; readonly metadata: EventMetadata } | undefined;

/** The events of a batch share their metadata: it is read once for those that follow each other. */
function metadataOf(text: string): EventMetadata {
  if (lastMetadata?.text !== text) {
    lastMetadata = { text, metadata: JSON.parse(text) as EventMetadata };
  }
  return lastMetadata.metadata;
}

/** A UUID as text; joined, because a template would make a chain of strings that later has to be copied flat. */
function dashed(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
