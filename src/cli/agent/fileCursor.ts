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
  /**
   * When the file had been written last, in milliseconds since the epoch: should it be gone, what was
   * written later is not read yet. Cursors of the first release lack it.
   */
  mtime: Type.Optional(Type.Number()),
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
