import { MongoAPIError, MongoBulkWriteError, MongoError, MongoServerError } from 'mongodb';
import { StoreUnavailable } from '../../events/eventStore.js';

type Reason = StoreUnavailable['reason'];

/** MongoDB's error codes (https://www.mongodb.com/docs/manual/reference/error-codes/). */
const REASONS: ReadonlyMap<number | string, readonly [reason: Reason, what: string]> = new Map([
  [13, ['unreachable', 'the user may not do this: it needs the role readWrite']],
  [18, ['unreachable', 'the user or its password is wrong']],
  [8_000, ['unreachable', 'the user or its password is wrong']],
  [24, ['busy', 'a lock was not to be had in time']],
  [50, ['busy', 'it took too long']],
  [112, ['busy', 'others write the same documents']],
  [251, ['busy', 'the transaction was given up']],
  [262, ['busy', 'it took too long']],
  [14_031, ['full', 'the disk is full']],
]);

const DUPLICATE_KEY = 11_000;

/** Codes for what is wrong with a command or its values: mistakes of this program. */
const MISTAKES: ReadonlySet<number | string | undefined> = new Set([
  2, // BadValue
  9, // FailedToParse
  14, // TypeMismatch
  40, // ConflictingUpdateOperators
  10_334, // BSONObjectTooLarge
]);

/** What the driver throws when it is used after it was closed. */
const CLOSED = [
  'MongoClientClosedError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoExpiredSessionError',
];

/**
 * What a caller is told: a StoreUnavailable where the server, the way to it or its user is at fault,
 * else the error itself.
 * @param place the server and database, without a password
 */
export function mongoFault(error: unknown, place: string): unknown {
  if (!(error instanceof MongoError)) return error;
  if (CLOSED.includes(error.name)) {
    return new StoreUnavailable('stopped', `${place}: the connection is closed`, { cause: error });
  }
  if (error instanceof MongoAPIError || MISTAKES.has(error.code)) return error;
  const [reason, what] = REASONS.get(error.code ?? '') ?? (['unreachable', 'no answer'] as const);
  const detail = error instanceof MongoServerError ? error.codeName : undefined;
  const cause = typeof detail === 'string' ? detail : error.message;
  return new StoreUnavailable(reason, `${place}: ${what} (${cause})`, { cause: error });
}

/**
 * Whether a document with that key was there already, and nothing else went wrong. A guarded upsert
 * finds no document that is old enough, tries to insert, and meets the one that is there.
 */
export function isDuplicate(error: unknown): boolean {
  if (error instanceof MongoBulkWriteError) {
    const failed = [error.writeErrors].flat();
    // A bulk write that failed as a whole (no answer, a conflict) comes as this too, and names no write.
    return (
      failed.length > 0 &&
      failed.every(({ code }) => code === DUPLICATE_KEY) &&
      error.result.getWriteConcernError() === undefined
    );
  }
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** The places in a bulk write, from 0, of what met a document that was there already. */
export function duplicatesOf(error: unknown): readonly number[] {
  if (!(error instanceof MongoBulkWriteError) || !isDuplicate(error)) throw error;
  return [error.writeErrors].flat().map(({ index }) => index);
}

/** Codes of a collection that was dropped while it was read. */
const GONE: ReadonlySet<number | string | undefined> = new Set([
  26, // NamespaceNotFound
  43, // CursorNotFound
  73, // InvalidNamespace
  175, // QueryPlanKilled
]);

export function isGone(error: unknown): boolean {
  return error instanceof MongoServerError && GONE.has(error.code);
}
