import { toUSVString } from 'node:util';

/** What a document store keeps of an indexed field; null where the document has nothing to index. */
export type Value = string | number | boolean | null;

/**
 * What is indexed of a field that holds one value. Whatever is no text, finite number or boolean
 * counts as missing, so a document with an odd field is stored and merely not found by it. Text is
 * made well-formed first (a lone surrogate becomes U+FFFD), as every UTF-8 store does.
 */
export function scalarOf(field: unknown): Value {
  if (typeof field === 'string') return toUSVString(field);
  if (typeof field === 'number') return Number.isFinite(field) ? field : null;
  return typeof field === 'boolean' ? field : null;
}

/** What is indexed of a field that holds a list: each element once. Undefined for what is no list. */
export function elementsOf(field: unknown): readonly Exclude<Value, null>[] | undefined {
  if (!Array.isArray(field)) return undefined;
  const values = field.map(scalarOf).filter((value) => value !== null);
  return [...new Set(values)];
}

/** Whether two states of a field are indexed alike. */
export function indexedAlike(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!Array.isArray(a) || !Array.isArray(b)) {
    return Array.isArray(a) === Array.isArray(b) && scalarOf(a) === scalarOf(b);
  }
  return a.length === b.length && a.every((each, i) => scalarOf(each) === scalarOf(b[i]));
}

const RANK = { null: 0, number: 1, string: 2, boolean: 3 };

function rank(value: Value): number {
  if (value === null) return RANK.null;
  if (typeof value === 'number') return RANK.number;
  return typeof value === 'string' ? RANK.string : RANK.boolean;
}

/** The one order of values: nothing, then numbers, then text by code point, then false, true. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  return Number(a) - Number(b);
}

/**
 * Orders text by code point, which is the order of its UTF-8 bytes and so that of SQLite and
 * MongoDB. JavaScript's `<` orders by UTF-16 unit, which puts U+1F600 before U+FF5E.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Moves the surrogates, which stand for U+10000 and above, behind U+E000 to U+FFFF. */
function codePointRank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

const LAST_CODE_POINT = 0x10ffff;

/** The first text after all that begin with `prefix`; undefined when no text comes after them. */
export function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(toUSVString(prefix), (char) => char.codePointAt(0) ?? 0);
  while (points.at(-1) === LAST_CODE_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  // No text holds a surrogate alone, so what follows U+D7FF is U+E000.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
}
