import type { Collection } from '../../projections/readModels.js';

/** A collection's declaration, checked and in the form that the adapters work with. */
export interface Definition {
  readonly name: string;
  readonly indexes: readonly (readonly string[])[];
  /** Every field that an index names, once, in the order of their first mention. */
  readonly fields: readonly string[];
  /** The fields that may hold lists: those that stand alone in an index and are in no other. */
  readonly lists: ReadonlySet<string>;
}

/** So that a set of changed fields fits into a small integer. */
const MAX_FIELDS = 30;

/** Names become names of tables and columns, so what a name may be is the least of all stores. */
const NAME = /^(?!sqlite_)[A-Za-z][A-Za-z0-9_]{0,62}$/;

/** @throws Error for a declaration that some store could not keep: a programming error. */
export function definitionOf(collection: Collection): Definition {
  const indexes = collection.indexes.map((index) => [...index.fields]);
  const fields = [...new Set(indexes.flat())];
  for (const name of [collection.name, ...fields]) {
    if (!NAME.test(name)) throw new Error(`"${name}" can't name a collection or an indexed field`);
  }
  if (new Set(fields.map((field) => field.toLowerCase())).size < fields.length) {
    throw new Error(`indexed fields of ${collection.name} differ in case alone`);
  }
  if (fields.length > MAX_FIELDS) {
    throw new Error(`${collection.name} has more than ${MAX_FIELDS} indexed fields`);
  }
  for (const index of indexes) {
    if (index.length === 0 || new Set(index).size < index.length) {
      throw new Error(`an index of ${collection.name} is empty or names a field twice`);
    }
  }
  const together = new Set(indexes.filter((index) => index.length > 1).flat());
  const lists = new Set(fields.filter((field) => !together.has(field)));
  return { name: collection.name, indexes, fields, lists };
}

/** Whether two declarations want the same columns, so that they differ in their indexes at most. */
export function sameFields(a: Definition, b: Definition): boolean {
  return a.name === b.name && alike(a.fields, b.fields) && alike([...a.lists], [...b.lists]);
}

function alike(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}
