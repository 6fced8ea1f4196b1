import { AppendRejected, MAX_APPEND_EVENTS, type Expected } from '../../events/eventStore.js';
import type { EventMetadata, NewEvent } from '../../events/envelope.js';

/** The most bytes of JSON that one append may carry: EventStoreDB's limit, kept by every adapter. */
export const MAX_APPEND_BYTES = 1_048_576;

/** An event as text. A tuple, because tuples cross to a thread at half the price of objects. */
export type EventText = readonly [
  id: string,
  type: string,
  time: number,
  data: string,
  metadata: string,
];

export interface AppendText {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly EventText[];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Checks an append and turns it into text. Whatever passes can't make a store refuse the row, so that
 * one bad append never fails the others that share its transaction.
 * @throws AppendRejected
 */
export function appendText(
  stream: string,
  events: readonly NewEvent[],
  expected: Expected,
): AppendText {
  requireText('stream name', stream);
  if (typeof expected === 'number' && !(Number.isSafeInteger(expected) && expected >= 0)) {
    throw new AppendRejected(`expected revision ${expected} is not a revision`);
  }
  if (events.length === 0) throw new AppendRejected('an append needs at least one event');
  if (events.length > MAX_APPEND_EVENTS) {
    throw new AppendRejected(
      `an append carries at most ${MAX_APPEND_EVENTS} events, not ${events.length}`,
    );
  }
  let bytes = 0;
  const texts = events.map((event) => {
    const text = eventText(event);
    bytes += Buffer.byteLength(text[3]) + Buffer.byteLength(text[4]);
    return text;
  });
  if (bytes > MAX_APPEND_BYTES) {
    throw new AppendRejected(`an append carries at most ${MAX_APPEND_BYTES} bytes, not ${bytes}`);
  }
  return { stream, expected, events: texts };
}

function eventText({ id, type, time, data, metadata }: NewEvent): EventText {
  if (!UUID.test(id)) throw new AppendRejected(`event id "${id}" is not a lower-case UUID`);
  requireText('event type', type);
  if (!Number.isSafeInteger(time)) {
    throw new AppendRejected(`event time ${time} is not a whole number of milliseconds`);
  }
  return [id, type, time, jsonOf(data), metadataText(metadata)];
}

let lastMetadata: { readonly of: EventMetadata; readonly text: string } | undefined;

/** The events of a batch share their metadata, one object for all: it is written out once. */
function metadataText(metadata: EventMetadata): string {
  if (lastMetadata?.of !== metadata) lastMetadata = { of: metadata, text: jsonOf(metadata) };
  return lastMetadata.text;
}

/** A lone surrogate has no UTF-8: two such names would become one in the store. */
function requireText(what: string, text: string): void {
  if (text === '' || !text.isWellFormed()) {
    throw new AppendRejected(`${what} ${JSON.stringify(text)} is empty or not well-formed Unicode`);
  }
}

function jsonOf(value: object): string {
  // An object with `toJSON` may turn into anything, even undefined.
  let text: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new AppendRejected('an event holds what JSON can not', { cause: error });
  }
  if (typeof text === 'string' && text.startsWith('{')) return text;
  throw new AppendRejected('data and metadata are JSON objects');
}
