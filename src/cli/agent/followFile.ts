import { closeSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseCursor, type FileCursor } from './fileCursor.js';
import { CHUNK_BYTES, endOf, isIn, isPast, lastWords, linesAfter, startOf } from './fileLines.js';
import { factsAt, open, openIf, refreshed, type OpenFile } from './openFile.js';
import { siblingsOf, successorOf, type Sibling } from './rotation.js';
import { LINES_LOST, type Observed, type Source } from './source.js';

/** Where reading stands: in a file that is held open, also when it is renamed or deleted. */
interface Place {
  readonly file: OpenFile;
  /** Where it begins, unless the cursor is in the file already. */
  readonly start: FileCursor;
  /** Why lines before it are lost: told as a line of its own, and like one until it is kept. */
  readonly lost?: string | undefined;
}

/**
 * Follows a log file by its path, as `tail -F` does, and through its rotations: a rotated file is
 * read to its end before the one that was begun after it, however many there have been since, also
 * between two runs. Where that one can't be read any more, a line tells so. A truncated or rewritten
 * file is read from its start. A last line without its newline waits for it, or for the rotation.
 */
export function followFile(path: string): Source {
  const full = resolve(path);
  let place: Place | null = null;
  let isBehind = false;

  function close(): void {
    if (place !== null) closeSync(place.file.descriptor);
    place = null;
  }

  function read(after: string | undefined): readonly Observed[] {
    isBehind = false;
    const cursor = parseCursor(after);
    const isKept = place !== null && cursor !== undefined && isIn(place.file, cursor);
    // The same file, and other bytes in it: it was truncated, or copied and truncated.
    if (!isKept && cursor?.inode === place?.file.inode) close();
    place ??= placeOf(full, cursor);
    if (place === null) return [];
    place = { ...place, file: refreshed(place.file) };
    const from = isKept ? cursor : place.start;
    const lines = linesFrom(place, from);
    if (lines.length > 0 || factsAt(full)?.inode === place.file.inode) return lines;
    const next = placeAfter(full, place.file);
    if (next === null) return [];
    // Rotated: what has no newline now never will, unless more has come just before.
    const rest = lastWords(place.file, from);
    if (rest.length > 0) {
      closeSync(next.file.descriptor);
      return rest;
    }
    close();
    place = next;
    return linesFrom(next, next.start);
  }

  /** The next lines of the file, behind what is to be told of those that are lost. */
  function linesFrom(at: Place, from: FileCursor): readonly Observed[] {
    const lines = linesAfter(at.file, from);
    isBehind = lines.length > 0 && at.file.size - from.offset > CHUNK_BYTES;
    return at.lost === undefined || from !== at.start ? lines : [lossBefore(at), ...lines];
  }

  function lossBefore({ lost, start }: Place): Observed {
    const message = `lines of ${basename(full)} may be lost: ${lost ?? ''}`;
    return { event: LINES_LOST, level: 'warn', message, cursor: JSON.stringify(start) };
  }

  return {
    name: `file:${full}`,
    read,
    get isBehind() {
      return isBehind;
    },
    now: () => JSON.stringify(nowAt(full)),
    close,
  };
}

/** The end of the file; one that is not there yet will be read from its start. */
function nowAt(path: string): FileCursor {
  const file = open(path);
  if (file === null) {
    const rotated = siblingsOf(path) ?? [];
    return { inode: '', offset: 0, tail: '', mtime: Math.max(0, ...rotated.map((r) => r.mtime)) };
  }
  try {
    return endOf(file);
  } finally {
    closeSync(file.descriptor);
  }
}

/** The file that the cursor stands in, under whatever name, or else the one that came after it. */
function placeOf(path: string, cursor: FileCursor | undefined): Place | null {
  const named = openIf(path, (file) => cursor === undefined || isIn(file, cursor));
  if (named !== null) return { file: named, start: cursor ?? startOf(named) };
  const siblings = cursor === undefined ? undefined : siblingsOf(path);
  if (cursor === undefined || siblings === undefined) return null;
  const renamed = siblings.find(({ inode }) => inode === cursor.inode);
  const file = renamed ? openIf(renamed.path, (one) => isIn(one, cursor)) : null;
  return file === null ? placeAfterGone(siblings, cursor) : { file, start: cursor };
}

/** Goes on with the file that was begun after a rotated one; null while there is none. */
function placeAfter(path: string, file: OpenFile): Place | null {
  const next = successorOf(file, siblingsOf(path) ?? []);
  const opened = next ? openListed(next.file) : null;
  return opened && { file: opened, start: startOf(opened), lost: next?.lost };
}

/** Goes on where the cursor stands in no file any more: with what has been written since. */
function placeAfterGone(siblings: readonly Sibling[], cursor: FileCursor): Place | null {
  const next = successorOf({ inode: '', mtime: cursor.mtime ?? Infinity }, siblings);
  const file = next ? openListed(next.file) : null;
  if (next === undefined || file === null) return null;
  const isTruncated = siblings.some((one) => one.suffix === '' && one.inode === cursor.inode);
  const isCurrent = next.file.suffix === '';
  if (isTruncated && !isCurrent && isPast(file, cursor)) {
    // Copied before it was truncated, as logrotate's `copytruncate` does: the copy goes on.
    return { file, start: { ...cursor, inode: file.inode }, lost: next.lost };
  }
  const isNew = cursor.inode === '' || (isTruncated && isCurrent);
  const lost = next.lost ?? (isNew ? undefined : 'the file that was read last is gone');
  return { file, start: startOf(file), lost };
}

function openListed({ path, inode }: Sibling): OpenFile | null {
  return openIf(path, (file) => file.inode === inode);
}
