import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf } from '../errors.js';
import { cutMessage, guessLevel } from '../telemetry.js';
import { parseCursor, TAIL_BYTES, type FileCursor } from './fileCursor.js';
import type { Observed, Source } from './source.js';

/** What one read takes at most; a line longer than this is cut and its rest left out. */
const CHUNK_BYTES = 256 * 1_024;

const NEWLINE = 0x0a;

/** A file that is not there yet will be read from its start. */
const NOT_YET: FileCursor = { inode: '', offset: 0, tail: '' };

/** Bytes of a file: first those that the cursor remembers, and new ones from the index `from`. */
interface Chunk {
  readonly bytes: Buffer;
  readonly from: number;
}

interface OpenFile {
  readonly descriptor: number;
  readonly inode: string;
}

/**
 * Follows a log file by its path, as `tail -F` does: a rotated file is read to its end before the
 * new one is begun, also when the rotation happened between two runs; a truncated or rewritten file
 * is read from its start. A last line without its newline waits for it, or for the rotation.
 */
export function followFile(path: string): Source {
  const full = resolve(path);
  let file: OpenFile | null = null;

  function close(): void {
    if (file !== null) closeSync(file.descriptor);
    file = null;
  }

  /** The file that the cursor stands in, under whatever name, or else the one at the path. */
  function reopen(cursor: FileCursor | undefined): OpenFile | null {
    const named = inodeAt(full);
    const rotated =
      cursor === undefined || cursor.inode === named ? undefined : siblingWith(full, cursor.inode);
    return open(rotated ?? full);
  }

  function read(after: string | undefined): readonly Observed[] {
    const cursor = parseCursor(after);
    file ??= reopen(cursor);
    if (file === null) return [];
    const known = cursor?.inode === file.inode ? cursor : undefined;
    const lines = linesAfter(file, known ?? startOf(file));
    if (lines.length > 0) return lines;
    const named = inodeAt(full);
    if (named === undefined || named === file.inode) return [];
    // Rotated, and nothing more came: what has no newline now never will.
    const rest = lastWords(file, known ?? startOf(file));
    close();
    if (rest.length > 0) return rest;
    file = open(full);
    return file === null ? [] : linesAfter(file, startOf(file));
  }

  return {
    name: `file:${full}`,
    read,
    now: () => {
      const opened = open(full);
      if (opened === null) return JSON.stringify(NOT_YET);
      try {
        const { size } = fstatSync(opened.descriptor);
        const tail = bytesAt(opened, Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES));
        return JSON.stringify(cursorAt(opened, size, tail));
      } finally {
        closeSync(opened.descriptor);
      }
    },
    close,
  };
}

function open(path: string): OpenFile | null {
  try {
    const descriptor = openSync(path, 'r');
    return { descriptor, inode: String(fstatSync(descriptor, { bigint: true }).ino) };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function inodeAt(path: string): string | undefined {
  try {
    return String(statSync(path, { bigint: true }).ino);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

/** `app.log` rotates to a name that starts with it, in the same folder. */
function siblingWith(path: string, inode: string): string | undefined {
  const folder = dirname(path);
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith(basename(path)))
      .map((name) => join(folder, name))
      .find((candidate) => inodeAt(candidate) === inode);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function startOf(file: OpenFile): FileCursor {
  return cursorAt(file, 0, Buffer.alloc(0));
}

function cursorAt({ inode }: OpenFile, offset: number, before: Buffer): FileCursor {
  return { inode, offset, tail: before.subarray(-TAIL_BYTES).toString('base64') };
}

function bytesAt({ descriptor }: OpenFile, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, position));
}

/** The bytes that the cursor remembers and up to a chunk after them; null when they have changed. */
function chunkAfter(file: OpenFile, cursor: FileCursor): Chunk | null {
  const tail = Buffer.from(cursor.tail, 'base64');
  const bytes = bytesAt(file, cursor.offset - tail.length, tail.length + CHUNK_BYTES);
  return bytes.subarray(0, tail.length).equals(tail) ? { bytes, from: tail.length } : null;
}

function linesAfter(file: OpenFile, after: FileCursor): readonly Observed[] {
  for (let cursor = after; ;) {
    const chunk = chunkAfter(file, cursor);
    if (chunk === null) {
      cursor = startOf(file);
      continue;
    }
    const { lines, next } = linesIn(file, cursor, chunk);
    if (lines.length > 0 || chunk.bytes.length - chunk.from < CHUNK_BYTES) return lines;
    cursor = next;
  }
}

/** The lines of one chunk, and where to go on when there is none worth telling in it. */
function linesIn(file: OpenFile, cursor: FileCursor, { bytes, from }: Chunk) {
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
  if (!endless) return { lines, next: at(start) };
  // A whole chunk without a newline: the head of the line is kept, and the rest is passed over.
  const next: FileCursor = { ...at(bytes.length), within: true };
  return { lines: within ? [] : [observed(bytes.subarray(from), next)], next };
}

function isBlank(line: Buffer): boolean {
  return line.length === 0 || (line.length === 1 && line[0] === 0x0d);
}

/** What stands after the last newline of a file that is written no more. */
function lastWords(file: OpenFile, cursor: FileCursor): Observed[] {
  const chunk = chunkAfter(file, cursor);
  if (chunk === null || cursor.within === true || chunk.bytes.length === chunk.from) return [];
  const { bytes, from } = chunk;
  return [
    observed(bytes.subarray(from), cursorAt(file, cursor.offset + bytes.length - from, bytes)),
  ];
}

function observed(bytes: Buffer, cursor: FileCursor): Observed {
  const message = cutMessage(bytes.toString('utf8').replace(/\r$/, ''));
  return { event: 'log-line', level: guessLevel(message), message, cursor: JSON.stringify(cursor) };
}
