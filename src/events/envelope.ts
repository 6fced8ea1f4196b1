/**
 * Where an event stands in the whole log. Opaque outside an adapter: compare and print it, nothing
 * else. Positions grow but are not gapless. In JSON and headers it is a decimal string.
 */
export type Position = bigint & { readonly __brand: 'Position' };

/** The position before the first event. */
export const START: Position = 0n as Position;

const POSITION_TEXT = /^(0|[1-9][0-9]{0,18})$/;

/** Reads a position from its decimal string; undefined when the text is not one. */
export function parsePosition(text: string): Position | undefined {
  return POSITION_TEXT.test(text) ? (BigInt(text) as Position) : undefined;
}

/** The later of two positions. */
export function later(a: Position, b: Position): Position {
  return a > b ? a : b;
}

/** Who caused an event. */
export type Actor =
  | { readonly kind: 'user'; readonly id: string }
  | { readonly kind: 'device'; readonly id: string }
  | { readonly kind: 'system'; readonly id: string }
  | { readonly kind: 'anonymous' };

/** What is known of an event beside what happened. */
export interface EventMetadata {
  readonly actor: Actor;
  /** The id of the command that caused it: a repeated command is recognised by it. */
  readonly commandId: string;
  /** Digest of the command's content, kept when the caller chose the command id (Idempotency-Key). */
  readonly commandHash?: string;
  /** The request that it came with, as in the `X-Request-Id` header. */
  readonly requestId?: string;
  /** The schema version that `data` was written in; absent means 1. */
  readonly version?: number;
}

/** An event on its way into the log. */
export interface NewEvent {
  /** A lower-case UUID that follows from the command's id and the event's place in it: a repeat carries the same ids. */
  readonly id: string;
  readonly type: string;
  /** Milliseconds since the epoch at which it was decided. */
  readonly time: number;
  readonly data: object;
  readonly metadata: EventMetadata;
}

/** An event as the log keeps it. */
export interface RecordedEvent<Type extends string = string, Data = unknown> {
  readonly id: string;
  readonly stream: string;
  /** 0-based, gapless in its stream. */
  readonly revision: number;
  readonly position: Position;
  readonly type: Type;
  readonly time: number;
  readonly data: Data;
  readonly metadata: EventMetadata;
}
