import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { parse } from 'secure-json-parse';
import { Problem } from './problem.js';

const JSON_TYPE = /^application\/(?:json|[\w.+-]+\+json)(?:\s*;|$)/i;
const LINES_TYPE = /^application\/(?:x-ndjson|jsonl|x-jsonlines|ndjson)(?:\s*;|$)/i;

/** A line of a batch: what it says, or that it says nothing readable. */
export type Line = { readonly value: unknown } | { readonly malformed: true };

/** A batch. Its lines are read when they are asked for: thousands at once are much to keep. */
export interface Lines {
  readonly length: number;
  /** The line at an index, from 0. */
  at(index: number): Line;
  /** All that it says, however it was written. */
  toJSON(): readonly Line[];
}

/**
 * Reads a JSON body; undefined when there is none.
 * @throws Problem UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, MALFORMED_BODY
 */
export async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  if (!hasBody(request)) return undefined;
  if (!JSON_TYPE.test(request.headers['content-type'] ?? '')) {
    throw new Problem('UNSUPPORTED_MEDIA_TYPE', { detail: 'Send application/json.' });
  }
  return parseJson(await readBytes(request, limit));
}

/**
 * Reads a batch: a JSON array, or one JSON value a line (NDJSON), in which a line that can't be read
 * spoils no other; empty lines don't count.
 */
export async function readLines(request: IncomingMessage, limit: number): Promise<Lines> {
  const type = request.headers['content-type'] ?? '';
  if (LINES_TYPE.test(type)) return linesIn(await readBytes(request, limit));
  if (!JSON_TYPE.test(type)) {
    throw new Problem('UNSUPPORTED_MEDIA_TYPE', {
      detail: 'Send a JSON array as application/json, or lines as application/x-ndjson.',
    });
  }
  const value = hasBody(request) ? parseJson(await readBytes(request, limit)) : undefined;
  if (!Array.isArray(value)) {
    throw new Problem('VALIDATION_FAILED', { errors: [{ at: '', message: 'must be array' }] });
  }
  const values: readonly unknown[] = value;
  return linesOf(values.length, (index) => ({ value: values[index] }));
}

function linesOf(length: number, at: Lines['at']): Lines {
  return { length, at, toJSON: () => Array.from({ length }, (_, index) => at(index)) };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return (
    headers['transfer-encoding'] !== undefined ||
    (headers['content-length'] !== undefined && headers['content-length'] !== '0')
  );
}

async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    // Nothing is ever unpacked, so that a small body can't become a large one.
    throw new Problem('UNSUPPORTED_MEDIA_TYPE', { detail: 'Send the body uncompressed.' });
  }
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > mostRead(limit)) {
    throw new Problem('BODY_TOO_LARGE', { headers: { connection: 'close' } });
  }
  return readAll(request, length, limit);
}

/** The most bytes that are read of a body that is refused. */
const DROPPED_MOST = 16 * 1_048_576;

/** The most bytes that are read of any body. */
const mostRead = (limit: number) => Math.max(limit, DROPPED_MOST);

/**
 * A body that is too large is refused at once, but read to its end, and nothing kept of it: a sender
 * whose connection is closed while it is still sending may never see the answer. One that goes on
 * and on is cut off all the same.
 */
function readAll(request: IncomingMessage, length: number, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const refuse = () => {
      chunks.length = 0;
      reject(new Problem('BODY_TOO_LARGE'));
    };
    const take = () => {
      const [first] = chunks;
      resolve(first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks));
    };
    if (length > limit) refuse();
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (Math.max(size, length) <= limit) chunks.push(chunk);
      else refuse();
      // Node lets no more come than the length that was said: the end need not be waited for.
      if (size === length) take();
      if (size > mostRead(limit)) request.destroy();
    });
    if (length === 0) request.on('end', take);
    // Node ends no body that is shorter than its Content-Length.
    request.on('close', () => {
      if (request.complete) return;
      reject(new Problem('MALFORMED_BODY', { detail: 'The body ended too early.' }));
    });
  });
}

/** The most lines that any route takes. */
export const MAX_LINES = 10_000;

const NEWLINE = 0x0a;

/**
 * The lines of NDJSON. The bytes stay what they are until a line is asked for: they are no garbage.
 * One line more than MAX_LINES is counted, and no further: a body of single characters has millions.
 */
function linesIn(bytes: Buffer): Lines {
  const starts: number[] = [];
  const ends: number[] = [];
  let start = afterBlanks(bytes, 0);
  while (start < bytes.length && starts.length <= MAX_LINES) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    starts.push(start);
    ends.push(end);
    start = afterBlanks(bytes, end);
  }
  const isText = isUtf8(bytes);
  return linesOf(starts.length, (index) => {
    const [from, to] = [starts[index], ends[index]];
    // JSON has to be UTF-8 (RFC 8259).
    const readable = isText || isUtf8(bytes.subarray(from, to));
    return readable ? parseLine(bytes.toString('utf8', from, to)) : MALFORMED;
  });
}

/** The first place from `at` on that is not JSON's white space (RFC 8259), line ends among it. */
function afterBlanks(bytes: Buffer, at: number): number {
  let place = at;
  while (place < bytes.length) {
    const byte = bytes[place];
    if (byte !== NEWLINE && byte !== 0x20 && byte !== 0x0d && byte !== 0x09) break;
    place += 1;
  }
  return place;
}

function parseJson(bytes: Buffer): unknown {
  // Decoding would put U+FFFD in the place of what can't be read, and keep that.
  if (!isUtf8(bytes)) throw new Problem('MALFORMED_BODY');
  try {
    return parse(bytes, undefined, PROTO);
  } catch {
    throw new Problem('MALFORMED_BODY');
  }
}

const MALFORMED: Line = { malformed: true };

function parseLine(text: string): Line {
  try {
    return { value: parse(text, undefined, PROTO) };
  } catch {
    return MALFORMED;
  }
}

/** A key that would reach into prototypes is refused where it comes in. */
const PROTO = { protoAction: 'error', constructorAction: 'error' } as const;
