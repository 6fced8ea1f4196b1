import { StoreUnavailable } from '../../events/eventStore.js';

type Reason = StoreUnavailable['reason'];

/**
 * SQLite's result codes (https://sqlite.org/rescode.html) by their primary part: an extended code
 * such as SQLITE_IOERR_FSYNC begins with it.
 */
const REASONS: readonly (readonly [code: string, reason: Reason, what: string])[] = [
  ['SQLITE_FULL', 'full', 'the disk is full'],
  ['SQLITE_CORRUPT', 'damaged', 'the file is damaged'],
  ['SQLITE_NOTADB', 'damaged', 'the file is not a database'],
  ['SQLITE_BUSY', 'busy', 'another process holds the file'],
  ['SQLITE_LOCKED', 'busy', 'another connection holds the file'],
  ['SQLITE_CANTOPEN', 'unreachable', 'the file can not be opened'],
  ['SQLITE_READONLY', 'unreachable', 'the file can not be written'],
  ['SQLITE_IOERR', 'unreachable', 'the disk failed'],
];

/** Whatever went wrong with the log in `file`, as the port says it. */
export function storeFault(error: unknown, file: string): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  const code = sqliteCode(error);
  const [, reason, what] = REASONS.find(([prefix]) => code?.startsWith(prefix)) ?? [
    '',
    'unreachable' as const,
    'the event log failed',
  ];
  const detail = error instanceof Error ? error.message : String(error);
  return new StoreUnavailable(reason, `${file}: ${what} (${code ?? detail})`, { cause: error });
}

/**
 * Asked by its shape and not by `instanceof`: the native addon makes its errors with the class of
 * whichever copy of the package was loaded first, and Jest loads one a test file.
 */
export function sqliteCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
