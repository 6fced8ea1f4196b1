import { createHash } from 'node:crypto';
import { InvalidCursor, type Find } from './readModels.js';

/** Where a page ended: the sorted field of its last document (null without a sort), and its key. */
export interface Place {
  readonly value: string | number | boolean | null;
  readonly key: string;
}

/** Characters of the digest that a cursor begins with: 72 bits. */
const DIGEST = 12;

/**
 * The cursor of the page after `place`. It holds across generations of the collection, whose
 * documents have the same keys. It is no secret and grants nothing: the question is asked anew with
 * its own conditions, whatever place a caller makes up.
 */
export function encodeCursor(collection: string, find: Find, place: Place): string {
  const text = JSON.stringify([place.value, place.key]);
  return digest(collection, find) + Buffer.from(text).toString('base64url');
}

/**
 * The place that `find.cursor` names; undefined when the question has none.
 * @throws InvalidCursor for what `encodeCursor` did not make for this very question.
 */
export function decodeCursor(collection: string, find: Find): Place | undefined {
  if (find.cursor === undefined) return undefined;
  // The digest goes first, so that garbage is refused before anything of its length is decoded.
  const known = find.cursor.startsWith(digest(collection, find));
  const place = known ? placeOf(find.cursor.slice(DIGEST)) : undefined;
  if (place === undefined || encodeCursor(collection, find, place) !== find.cursor) {
    throw new InvalidCursor('not a cursor of this question');
  }
  return place;
}

function placeOf(encoded: string): Place | undefined {
  const parsed = parse(Buffer.from(encoded, 'base64url').toString());
  const parts: readonly unknown[] = Array.isArray(parsed) ? parsed : [];
  const [value, key] = parts;
  if (parts.length !== 2) return undefined;
  if (typeof key !== 'string') return undefined;
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return { value, key };
    default:
      return value === null ? { value, key } : undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Tells questions apart by what decides which documents come in which order; not by the limit. */
function digest(collection: string, { where, sort }: Find): string {
  const conditions = Object.entries(where)
    .map(([field, condition]) => [field, Object.entries(condition).sort(byName)] as const)
    .sort(byName);
  const question = JSON.stringify([collection, conditions, sort?.field, sort?.direction]);
  return createHash('sha256').update(question).digest('base64url').slice(0, DIGEST);
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}
