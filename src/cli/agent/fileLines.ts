import { cutMessage, guessLevel } from '../telemetry.js';
import { TAIL_BYTES, type FileCursor } from './fileCursor.js';
import { bytesAt, type OpenFile } from './openFile.js';
import type { Observed } from './source.js';

/** What one read takes at most; a line longer than this is cut and its rest left out. */
export const CHUNK_BYTES = 256 * 1_024;

const NEWLINE = 0x0a;

/** Bytes of a file: first those that the cursor remembers, and new ones from the index `from`. */
interface Chunk {
  readonly bytes: Buffer;
  readonly from: number;
}

export function startOf(file: OpenFile): FileCursor {
  return cursorAt(file, 0, Buffer.alloc(0));
}

/** Of what the file holds now. */
export function endOf(file: OpenFile): FileCursor {
  const length = Math.min(file.size, TAIL_BYTES);
  return cursorAt(file, file.size, bytesAt(file, file.size - length, length));
}

/** Whether the cursor stands in this file, as far as can be seen, and not in one with its inode. */
export function isIn(file: OpenFile, cursor: FileCursor): boolean {
  return file.inode === cursor.inode && isPast(file, cursor);
}

/** Whether the file has, where the cursor stands, the bytes that it remembers. */
export function isPast(file: OpenFile, { offset, tail }: FileCursor): boolean {
  const remembered = Buffer.from(tail, 'base64');
  return bytesAt(file, offset - remembered.length, remembered.length).equals(remembered);
}

function cursorAt({ inode, mtime }: OpenFile, offset: number, before: Buffer): FileCursor {
  return { inode, offset, tail: before.subarray(-TAIL_BYTES).toString('base64'), mtime };
}

/** The bytes that the cursor remembers and up to a chunk after them; null when they have changed. */
function chunkAfter(file: OpenFile, cursor: FileCursor): Chunk | null {
  const tail = Buffer.from(cursor.tail, 'base64');
  const bytes = bytesAt(file, cursor.offset - tail.length, tail.length + CHUNK_BYTES);
  return bytes.subarray(0, tail.length).equals(tail) ? { bytes, from: tail.length } : null;
}

/** The next lines; [] when there is no whole one yet. What was rewritten is read from its start. */
export function linesAfter(file: OpenFile, after: FileCursor): readonly Observed[] {
  return piecesAfter(file, after).lines;
}

/**
 * What a file that is written no more ends with: whole lines that came since it was read last, or
 * else what stands after the last newline.
 */
export function lastWords(file: OpenFile, cursor: FileCursor): readonly Observed[] {
  const { lines, rest } = piecesAfter(file, cursor);
  return lines.length > 0 ? lines : rest;
}

/** The next whole lines, and what follows the last newline as the line that it may become. */
function piecesAfter(file: OpenFile, after: FileCursor): Pieces {
  for (let cursor = after; ;) {
    const chunk = chunkAfter(file, cursor);
    if (chunk === null) {
      cursor = startOf(file);
      continue;
    }
    const { next, ...pieces } = piecesIn(file, cursor, chunk);
    if (pieces.lines.length > 0 || chunk.bytes.length - chunk.from < CHUNK_BYTES) return pieces;
    cursor = next;
  }
}

interface Pieces {
  readonly lines: readonly Observed[];
  readonly rest: readonly Observed[];
}

/** The pieces of one chunk, and where to go on when there is no line worth telling in it. */
function piecesIn(
  file: OpenFile,
  cursor: FileCursor,
  { bytes, from }: Chunk,
): Pieces & { readonly next: FileCursor } {
  const at = (index: number) =>
    cursorAt(file, cursor.offset + index - from, bytes.subarray(0, index));
  const lines: Observed[] = [];
  let start = from;
  let within = cursor.within === true;
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, start);
    if (newline < 0) break;
    const line = bytes.subarray(start, newline);
    if (!within && !isBlank(line)) lines.push(observed(line, at(newline + 1)));
    within = false;
    start = newline + 1;
  }
  const endless = start === from && bytes.length - from >= CHUNK_BYTES;
  if (!endless) {
    const rest = bytes.subarray(start);
    const isTold = !within && !isBlank(rest);
    return { lines, rest: isTold ? [observed(rest, at(bytes.length))] : [], next: at(start) };
  }
  // A whole chunk without a newline: the head of the line is kept, and the rest is passed over.
  const next: FileCursor = { ...at(bytes.length), within: true };
  return { lines: within ? [] : [observed(bytes.subarray(from), next)], rest: [], next };
}

function isBlank(line: Buffer): boolean {
  return line.length === 0 || (line.length === 1 && line[0] === 0x0d);
}

function observed(bytes: Buffer, cursor: FileCursor): Observed {
  const message = cutMessage(bytes.toString('utf8').replace(/\r$/, ''));
  return { event: 'log-line', level: guessLevel(message), message, cursor: JSON.stringify(cursor) };
}
