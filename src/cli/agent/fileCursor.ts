import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';

/** How many bytes before the offset are remembered, to know the file again. */
export const TAIL_BYTES = 32;

const FileCursor = Type.Object({
  /** Which file the path named: it goes by another name after a rotation. */
  inode: Type.String(),
  /** Of the byte after the last line read. */
  offset: Type.Integer({ minimum: 0 }),
  /** The bytes just before the offset, base64: other bytes there mean another file, or a rewritten one. */
  tail: Type.String(),
  /** The offset lies within a line too long to keep, whose rest is left out. */
  within: Type.Optional(Type.Literal(true)),
});
export type FileCursor = Static<typeof FileCursor>;

const validator = Compile(FileCursor);

/** Reads a cursor back; undefined when it is none, so that reading starts anew. */
export function parseCursor(text: string | undefined): FileCursor | undefined {
  if (text === undefined) return undefined;
  try {
    const cursor: unknown = JSON.parse(text);
    return validator.Check(cursor) ? cursor : undefined;
  } catch {
    return undefined;
  }
}
