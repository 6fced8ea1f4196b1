import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { makePrivateFolder, readJson } from './files.js';
import { replaceFromReserve } from './reserve.js';
import { openSegments, type Segments } from './segments.js';

/** How far a source had been read when an entry was made, as the source itself writes it. */
export interface SourceCursor {
  readonly source: string;
  readonly at: string;
}

export interface SpoolEntry {
  /** The JSON text of one ingest line, with its own id and time. */
  readonly line: string;
  readonly cursor?: SourceCursor;
}

/** The oldest entries, and where the spool stands once they are done with. */
export interface SpoolBatch {
  readonly lines: readonly string[];
  /** Lets go of the first `count` of them. Throws when the disk refuses; then it can be repeated. */
  settle(count: number): void;
}

/**
 * What waits to be sent, on disk and in order. An entry and the cursor of its source become durable
 * in one write, so a source is neither read twice nor skipped, whenever the process dies.
 */
export interface Spool {
  /** Durable on return. Throws the system's error when the disk refuses; then nothing was kept. */
  append(entries: readonly SpoolEntry[]): void;
  /**
   * The first of these entries, as many as can come in without pushing anything out; all of them when
   * they are few, for what comes in little by little must not wait while the server is away.
   */
  fitting(entries: readonly SpoolEntry[]): readonly SpoolEntry[];
  /** The oldest entries, at most so many and so many bytes, but at least one if there is one. */
  oldest(mostLines: number, mostBytes: number): SpoolBatch;
  /** Where each source goes on. */
  cursor(source: string): string | undefined;
  /** Sets a source's cursor without an entry. */
  remember(cursor: SourceCursor): void;
  /**
   * How many entries have been dropped, ever, because the spool was full. Those of a batch that was
   * under way are among them.
   */
  readonly dropped: number;
  readonly bytes: number;
  readonly isEmpty: boolean;
  /** Half of it is free: what needs no haste can come in without pushing anything out. */
  readonly hasRoom: boolean;
}

export interface SpoolOptions {
  readonly folder: string;
  /** Above this, the oldest segment goes. */
  readonly maxBytes: number;
}

const Cursors = Type.Record(Type.String(), Type.String());

/** Where reading goes on, in one small file that is replaced whole. */
const Head = Type.Object({
  segment: Type.Integer({ minimum: 0 }),
  offset: Type.Integer({ minimum: 0 }),
  dropped: Type.Integer({ minimum: 0 }),
  /** Of the entries before the head. */
  cursors: Cursors,
});
type Head = Static<typeof Head>;

const headIn = Compile(Head);

const EntryOnDisk = Compile(
  Type.Object({
    line: Type.Object({ id: Type.String() }),
    cursor: Type.Optional(Type.Object({ source: Type.String(), at: Type.String() })),
  }),
);

interface Stored {
  /** Undefined when the line can't be read: half of it was written when the power went. */
  readonly entry: SpoolEntry | undefined;
  readonly segment: number;
  /** Of the byte after it. */
  readonly end: number;
}

/**
 * Opens the spool of one agent. All its files are small and it is written a few times a second at
 * most, so it works synchronously: no two of its steps can interleave.
 */
export function openSpool({ folder, maxBytes }: SpoolOptions): Spool {
  makePrivateFolder(folder);
  const headPath = join(folder, 'head.json');
  const replaceHead = replaceFromReserve(headPath);
  const found = readJson(headPath);
  let head: Head = headIn.Check(found) ? found : { segment: 0, offset: 0, dropped: 0, cursors: {} };
  const segments = openSegments(folder, segmentBytes(maxBytes), head.segment);
  segments.removeBefore(head.segment);
  const cursors = new Map(Object.entries(head.cursors));
  let pending = 0;
  for (const { entry } of entriesFrom(segments, head)) {
    if (entry === undefined) continue;
    pending += 1;
    if (entry.cursor !== undefined) cursors.set(entry.cursor.source, entry.cursor.at);
  }

  function moveHead(past: readonly Stored[], dropped = 0): void {
    const last = past.at(-1);
    if (last === undefined) return;
    const seen = past.flatMap(({ entry }) => entry?.cursor ?? []);
    const next: Head = {
      segment: last.segment,
      offset: last.end,
      dropped: head.dropped + dropped,
      cursors: { ...head.cursors, ...Object.fromEntries(seen.map((c) => [c.source, c.at])) },
    };
    // On disk first: where that refuses, the same can be asked for again.
    replaceHead(JSON.stringify(next));
    head = next;
    pending -= past.filter(({ entry }) => entry !== undefined).length;
    segments.removeBefore(head.segment);
  }

  function makeRoom(bytes: number): void {
    while (segments.bytes > 0 && segments.bytes + bytes > maxBytes) {
      const oldest = segments.oldest();
      const lost = [...entriesFrom(segments, head)].filter(({ segment }) => segment === oldest);
      moveHead(lost, lost.filter(({ entry }) => entry !== undefined).length);
      segments.remove(oldest);
    }
  }

  const hasRoom = () => segments.bytes <= maxBytes / 2;

  return {
    append: (entries) => {
      for (const group of grouped(entries, segmentBytes(maxBytes))) {
        makeRoom(group.bytes.length);
        segments.append(group.bytes);
        pending += group.entries.length;
        for (const { cursor } of group.entries) {
          if (cursor !== undefined) cursors.set(cursor.source, cursor.at);
        }
      }
    },
    fitting: (entries) => {
      // A quarter is left to what comes in little by little.
      const room = maxBytes * 0.75 - segments.bytes;
      const count = countWithin(entries, room);
      if (count === entries.length) return entries;
      if (countWithin(entries, segmentBytes(maxBytes)) === entries.length) return entries;
      // One that is larger than the room of a spool that is half empty would never come in.
      return entries.slice(0, Math.max(count, hasRoom() ? 1 : 0));
    },
    oldest: (mostLines, mostBytes) => {
      const stored: Stored[] = [];
      const lines: string[] = [];
      let bytes = 0;
      for (const item of entriesFrom(segments, head)) {
        const line = item.entry?.line;
        bytes += line === undefined ? 0 : Buffer.byteLength(line) + 1;
        if (lines.length > 0 && bytes > mostBytes) break;
        stored.push(item);
        if (line !== undefined) lines.push(line);
        if (lines.length >= mostLines) break;
      }
      return {
        lines,
        settle: (count) => {
          const done = firstReadable(stored, count).filter((item) => isAhead(item, head));
          moveHead(done);
        },
      };
    },
    cursor: (source) => cursors.get(source),
    remember: ({ source, at }) => {
      const next: Head = { ...head, cursors: { ...head.cursors, [source]: at } };
      replaceHead(JSON.stringify(next));
      head = next;
      cursors.set(source, at);
    },
    get dropped() {
      return head.dropped;
    },
    get bytes() {
      return segments.bytes;
    },
    get isEmpty() {
      return pending === 0;
    },
    get hasRoom() {
      return hasRoom();
    },
  };
}

/** A sixteenth of the bound, so that little is lost at a time, within sense. */
function segmentBytes(maxBytes: number): number {
  return Math.min(1_048_576, Math.max(256, Math.floor(maxBytes / 16)));
}

function isAhead({ segment, end }: Stored, head: Head): boolean {
  return segment > head.segment || (segment === head.segment && end > head.offset);
}

/** The stored lines up to and including the count-th readable one, with unreadable ones after it. */
function firstReadable(stored: readonly Stored[], count: number): Stored[] {
  let readable = 0;
  return stored.filter(({ entry }) => {
    if (entry !== undefined) readable += 1;
    return readable <= count;
  });
}

function* entriesFrom(segments: Segments, head: Head): Generator<Stored> {
  for (const segment of segments.list()) {
    const from = segment === head.segment ? head.offset : 0;
    if (segment < head.segment) continue;
    for (const { text, end } of segments.read(segment, from)) {
      yield { entry: entryIn(text), segment, end };
    }
  }
}

function entryIn(text: string): SpoolEntry | undefined {
  try {
    const stored: unknown = JSON.parse(text);
    if (!EntryOnDisk.Check(stored)) return undefined;
    const { line, cursor } = stored;
    return { line: JSON.stringify(line), ...(cursor && { cursor }) };
  } catch {
    return undefined;
  }
}

function textOf({ line, cursor }: SpoolEntry): string {
  const after = cursor === undefined ? '' : `,"cursor":${JSON.stringify(cursor)}`;
  return `{"line":${line}${after}}\n`;
}

/** How many of the first entries take no more bytes than that. */
function countWithin(entries: readonly SpoolEntry[], mostBytes: number): number {
  let bytes = 0;
  const over = entries.findIndex((entry) => {
    bytes += Buffer.byteLength(textOf(entry));
    return bytes > mostBytes;
  });
  return over < 0 ? entries.length : over;
}

function* grouped(entries: readonly SpoolEntry[], mostBytes: number) {
  let group: SpoolEntry[] = [];
  let texts: Buffer[] = [];
  let size = 0;
  for (const entry of entries) {
    const text = Buffer.from(textOf(entry));
    if (size > 0 && size + text.length > mostBytes) {
      yield { entries: group, bytes: Buffer.concat(texts) };
      [group, texts, size] = [[], [], 0];
    }
    group.push(entry);
    texts.push(text);
    size += text.length;
  }
  if (size > 0) yield { entries: group, bytes: Buffer.concat(texts) };
}
