import { toUSVString } from 'node:util';
import type { Collection, Db } from 'mongodb';
import type { Position } from '../../events/envelope.js';
import type { Doc, Write } from '../../projections/readModels.js';
import type { Definition } from '../documents/definition.js';
import { elementsOf, scalarOf, type Value } from '../documents/values.js';

/**
 * A document as it is kept. The document itself is JSON text: BSON has no names with NUL, takes only
 * 100 levels and gives some names a meaning, while text keeps every document as it was, to the byte as
 * SQLite keeps it, and is parsed several times faster than BSON is by the driver. What it is found by
 * lies beside it, and there BSON's own order of types is the port's: missing, numbers, text by
 * code point, false, true.
 */
export interface StoredDocument {
  readonly _id: string;
  /** Of the last event folded into it. */
  readonly position: bigint;
  /**
   * Whether there is such a document. A removed one leaves its position behind, which guards its key
   * against what comes late: a batch that comes again, or an owner that does not know yet that it is
   * none any more. It begins every index, so that no query looks at what was removed.
   */
  readonly live: boolean;
  /** The indexed fields; one that counts as missing is missing. */
  readonly by?: Readonly<Record<string, Value | readonly Value[]>>;
  readonly doc?: string;
  /** When it was removed. */
  readonly goneAt?: Date;
}

/** What is left of a removed document goes after a week: nothing comes as late as that. */
const GONE_SECONDS = 7 * 24 * 3_600;
const GONE_INDEX = '_gone';

/** The collection of one generation. */
export function documentsOf(
  db: Db,
  { collection, number }: { readonly collection: string; readonly number: number },
): Collection<StoredDocument> {
  // Positions outgrow a double.
  return db.collection(`${collection}_g${number}`, { useBigInt64: true });
}

export function toStored(definition: Definition, write: Write): StoredDocument {
  const { doc, position } = write;
  const _id = toUSVString(write.key);
  if (doc === null) return { _id, position, live: false, goneAt: new Date() };
  return { _id, position, live: true, by: foundBy(definition, doc), doc: JSON.stringify(doc) };
}

export function fromStored(stored: Pick<StoredDocument, 'doc'>): Doc | undefined {
  return stored.doc === undefined ? undefined : (JSON.parse(stored.doc) as Doc);
}

export function positionOf({ position }: Pick<StoredDocument, 'position'>): Position {
  return position as Position;
}

function foundBy({ fields, lists }: Definition, doc: Doc): NonNullable<StoredDocument['by']> {
  const by: Record<string, Value | readonly Value[]> = {};
  for (const field of fields) {
    const value = (lists.has(field) ? elementsOf(doc[field]) : undefined) ?? scalarOf(doc[field]);
    if (value !== null) by[field] = value;
  }
  return by;
}

/**
 * Makes the indexes that are wanted, and drops those that are not. The key ends every index, so that
 * it serves any page in order. An index over many documents may take longer than an answer is waited
 * for: the server goes on building it, and this is called again.
 */
export async function makeIndexes(
  documents: Collection<StoredDocument>,
  definition: Definition,
): Promise<void> {
  const wanted = definition.indexes.map((fields) => ({
    name: fields.join(),
    key: {
      live: 1,
      ...Object.fromEntries(fields.map((field) => [`by.${field}`, 1])),
      _id: 1,
    },
  }));
  const gone = { name: GONE_INDEX, key: { goneAt: 1 } as Record<string, 1> };
  await documents.createIndexes([
    ...new Map(wanted.map((index) => [index.name, index])).values(),
    { ...gone, expireAfterSeconds: GONE_SECONDS, sparse: true },
  ]);
  const names = new Set([...wanted, gone, { name: '_id_' }].map(({ name }) => name));
  for (const { name } of await documents.indexes()) {
    if (name !== undefined && !names.has(name)) await documents.dropIndex(name);
  }
}
