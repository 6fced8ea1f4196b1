import type { Database } from 'better-sqlite3';
import { START, type Position } from '../../events/envelope.js';
import type { Lease } from '../../projections/leases.js';
import { GenerationDropped, type Generation } from '../../projections/readModels.js';

export type Id = Pick<Generation, 'projection' | 'number'>;
export type ShardId = Id & Pick<Generation, 'shard'>;

/** How far one shard of a generation has come; integers as bigint, for positions outgrow a double. */
export interface ShardRow {
  readonly shard: bigint;
  readonly shards: bigint;
  readonly ready: bigint;
  readonly checkpoint: bigint;
  readonly commits: bigint;
}

export interface Shards {
  /** Makes a new generation's. */
  begin(generation: Id, of: number): void;
  /** In how many a generation is shared out. */
  count(generation: Id): number;
  /** Shares it out anew unless it is in so many shards already. */
  share(generation: Id, of: number): void;
  /** @throws GenerationDropped */
  row(shard: ShardId): ShardRow;
  /**
   * Moves the checkpoint on and counts one commit, in one statement.
   * @returns the count; undefined when it did not: the checkpoint lies behind the shard's, the
   *   lease has passed on, or the shard is no more
   */
  move(shard: ShardId, checkpoint: Position, lease: Lease | undefined): bigint | undefined;
  /** @returns whether all shards of the generation are ready now */
  ready(shard: ShardId): boolean;
  /** Removes those of the projection's other generations. */
  forgetOthers(generation: Id): void;
}

export function shards(db: Database): Shards {
  const insert = db.prepare<[string, number, number, number, bigint, bigint]>(
    'INSERT INTO shards VALUES (?, ?, ?, ?, 0, ?, ?)',
  );
  const all = db
    .prepare<[string, number], ShardRow>(
      `SELECT shard, shards, ready, checkpoint, commits FROM shards
       WHERE projection = ? AND number = ? ORDER BY checkpoint`,
    )
    .safeIntegers();
  const remove = db.prepare<[string, number]>(
    'DELETE FROM shards WHERE projection = ? AND number = ?',
  );
  const removeOthers = db.prepare<[string, number]>(
    'DELETE FROM shards WHERE projection = ? AND number <> ?',
  );
  const advance = prepareAdvance(db, '');
  const advanceLeased = prepareAdvance(
    db,
    'AND EXISTS (SELECT 1 FROM leases WHERE name = ? AND holder = ? AND token = ?)',
  );
  const readied = db.prepare<[string, number, number]>(
    'UPDATE shards SET ready = 1 WHERE projection = ? AND number = ? AND shard = ?',
  );

  function row({ projection, number, shard }: ShardId): ShardRow {
    const found = all
      .all(projection, number)
      .find((each) => Number(each.shard) === shard.index && Number(each.shards) === shard.of);
    if (found !== undefined) return found;
    const which = `${projection} ${shard.index}/${shard.of}`;
    throw new GenerationDropped(`generation ${number} of ${which} was dropped`);
  }

  function put({ projection, number }: Id, of: number, checkpoint: bigint, commits: bigint) {
    for (let index = 0; index < of; index += 1) {
      insert.run(projection, number, index, of, checkpoint, commits);
    }
  }

  return {
    begin(generation, of) {
      put(generation, of, START, 0n);
    },

    count: ({ projection, number }) => all.all(projection, number).length,

    share(generation, of) {
      const [least, ...rest] = all.all(generation.projection, generation.number);
      if (least === undefined || rest.length + 1 === of) return;
      remove.run(generation.projection, generation.number);
      // Further than any of them counted, so that nobody takes what it remembers for what is stored.
      const most = rest.reduce(
        (max, { commits }) => (commits > max ? commits : max),
        least.commits,
      );
      put(generation, of, least.checkpoint, most + 1n);
    },

    row,

    move({ projection, number, shard }, checkpoint, lease) {
      const { index, of } = shard;
      if (lease === undefined) {
        return advance.get(checkpoint, projection, number, index, of, checkpoint);
      }
      const { name, holder, token } = lease;
      return advanceLeased.get(
        ...[checkpoint, projection, number, index, of, checkpoint, name, holder, token],
      );
    },

    ready(shard) {
      const { projection, number } = shard;
      row(shard);
      readied.run(projection, number, shard.shard.index);
      return all.all(projection, number).every(({ ready }) => ready === 1n);
    },

    forgetOthers({ projection, number }) {
      removeOthers.run(projection, number);
    },
  };
}

function prepareAdvance(db: Database, fence: string) {
  return db
    .prepare<(string | number | bigint)[], bigint>(
      `UPDATE shards SET checkpoint = ?, commits = commits + 1
       WHERE projection = ? AND number = ? AND shard = ? AND shards = ? AND checkpoint <= ? ${fence}
       RETURNING commits`,
    )
    .pluck()
    .safeIntegers();
}
