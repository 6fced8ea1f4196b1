import type { Database } from 'better-sqlite3';
import type { Position } from '../../events/envelope.js';
import type { Generation, Parked } from '../../projections/readModels.js';

type Id = Pick<Generation, 'projection' | 'number'>;

interface ParkedRow {
  readonly projection: string;
  readonly key: string;
  readonly position: bigint;
  readonly event_id: string;
  readonly event_type: string;
  readonly error: string;
  readonly parked_at: bigint;
}

export interface ParkedEvents {
  /** An event that is parked already stays as it is: batches come again. */
  park(generation: Id, event: Parked): void;
  /** Those parked at or before `upTo`. */
  keys(generation: Id, upTo: Position): ReadonlySet<string>;
  /** Of the live generation. */
  list(projection: string): readonly Parked[];
}

export function parkedEvents(db: Database): ParkedEvents {
  const insert = db.prepare<[string, number, string, bigint, string, string, string, number]>(
    'INSERT INTO parked VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const keys = db
    .prepare<[string, number, bigint], string>(
      'SELECT DISTINCT key FROM parked WHERE projection = ? AND number = ? AND position <= ?',
    )
    .pluck();
  const list = db
    .prepare<[string], ParkedRow>(
      `SELECT parked.* FROM parked JOIN generations USING (projection, number)
       WHERE projection = ? AND live = 1 ORDER BY position, key`,
    )
    .safeIntegers();

  return {
    park({ projection, number }, { key, position, eventId, eventType, error, parkedAt }) {
      insert.run(projection, number, key, position, eventId, eventType, error, parkedAt);
    },
    keys: ({ projection, number }, upTo) => new Set(keys.all(projection, number, upTo)),
    list: (projection) => list.all(projection).map(toParked),
  };
}

function toParked(row: ParkedRow): Parked {
  return {
    projection: row.projection,
    key: row.key,
    position: row.position as Position,
    eventId: row.event_id,
    eventType: row.event_type,
    error: row.error,
    parkedAt: Number(row.parked_at),
  };
}
