import type { Database } from 'better-sqlite3';
import type { Lease, Leases } from '../../projections/leases.js';
import type { Presence } from './presence.js';

type Params = [name: string, holder: string, token: bigint];

interface LeaseRow {
  readonly name: string;
  readonly holder: string;
  readonly token: bigint;
  /** Milliseconds since the epoch; 0 when it was given up. */
  readonly until: bigint;
}

export interface SqliteLeases {
  acquire(name: string, holder: string, ttlMs: number): Lease | undefined;
  release(lease: Lease): void;
  held(prefix: string): readonly Lease[];
  /** Whether nobody else has held it since. */
  isCurrent(lease: Lease): boolean;
}

/**
 * Leases as rows of the file that they protect. Their time is the host's clock, which all processes
 * of one file share. A holder whose process has ended holds nothing any more, whatever its rows say:
 * after a kill nobody waits for them to run out.
 * @param now milliseconds since the epoch
 */
export function sqliteLeases(db: Database, presence: Presence, now: () => number): SqliteLeases {
  const one = db.prepare<[string], LeaseRow>('SELECT * FROM leases WHERE name = ?').safeIntegers();
  // Compared and not LIKE, which takes letters of either case and has wildcards.
  const begunBy = db
    .prepare<[string, string, number], LeaseRow>(
      `SELECT * FROM leases WHERE substr(name, 1, length(?)) = ? AND until > ? ORDER BY name`,
    )
    .safeIntegers();
  const put = db.prepare<[string, string, bigint, number]>(
    'INSERT OR REPLACE INTO leases (name, holder, token, until) VALUES (?, ?, ?, ?)',
  );
  // The token stays: the next holder's has to be greater.
  const giveUp = db.prepare<Params>(
    'UPDATE leases SET until = 0 WHERE name = ? AND holder = ? AND token = ?',
  );
  const current = db
    .prepare<Params, number>('SELECT 1 FROM leases WHERE name = ? AND holder = ? AND token = ?')
    .pluck();

  const acquire = db.transaction((name: string, holder: string, ttlMs: number) => {
    const last = one.get(name);
    const own = last?.holder === holder;
    if (last !== undefined && !own && isHeld(last)) return undefined;
    const token = (last?.token ?? 0n) + (own ? 0n : 1n);
    put.run(name, holder, token, now() + ttlMs);
    return { name, holder, token: Number(token) };
  });

  const isHeld = ({ holder, until }: LeaseRow) => until > now() && !presence.isGone(holder);

  return {
    acquire(name, holder, ttlMs) {
      presence.show(holder);
      return acquire.immediate(name, holder, ttlMs);
    },
    release({ name, holder, token }) {
      giveUp.run(name, holder, BigInt(token));
    },
    held: (prefix) => begunBy.all(prefix, prefix, now()).filter(isHeld).map(toLease),
    isCurrent: ({ name, holder, token }) => current.get(name, holder, BigInt(token)) !== undefined,
  };
}

function toLease({ name, holder, token }: LeaseRow): Lease {
  return { name, holder, token: Number(token) };
}

/** As the port has them. */
export function asLeases(
  leases: SqliteLeases,
  call: <Result>(work: () => Result) => Result,
): Leases {
  return {
    acquire: async (name, holder, ttlMs) => call(() => leases.acquire(name, holder, ttlMs)),
    release: async (lease) => {
      call(() => {
        leases.release(lease);
      });
    },
    held: async (prefix) => call(() => leases.held(prefix)),
  };
}
