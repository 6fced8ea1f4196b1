import type { NewEvent, Position, RecordedEvent } from './envelope.js';

/** What a writer believes of a stream: its last revision, that it does not exist, or nothing. */
export type Expected = number | 'none' | 'any';

/**
 * With `any`, an append is recognised as a repeat when its last event is among this many last events
 * of the stream. Further back it is written again, so a fold that counts guards itself too
 * (projections/runner.ts does it for all of them).
 */
export const REPEAT_WINDOW = 32;

/** The most events that one append may carry; it also stays below 1 MiB of data. */
export const MAX_APPEND_EVENTS = 10_000;

export interface Appended {
  /** The revision of the append's last event. */
  readonly revision: number;
  /** The position of the append's last event. */
  readonly position: Position;
}

/** One of many appends. */
export interface StreamAppend {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: Expected;
}

/** What became of one of many appends: what `append` resolves to, or what it rejects with. */
export type AppendOutcome = Appended | WrongRevision | AppendRejected | StoreUnavailable;

export type Direction = 'forwards' | 'backwards';

export interface ReadStream {
  /** The first revision to read, itself included; by default the stream's end that the direction starts at. */
  readonly from?: number;
  readonly direction?: Direction;
  readonly limit?: number;
}

/** What of the log is wanted; both given means both must hold. */
export interface Filter {
  readonly types?: readonly string[];
  /** Stream name prefixes, such as `device-`. */
  readonly streams?: readonly string[];
}

export interface ReadAll extends Filter {
  /** Exclusive: forwards reads what comes after it, backwards what comes before. */
  readonly from?: Position;
  readonly direction?: Direction;
  readonly limit?: number;
}

export interface Subscribe extends Filter {
  /** Exclusive: the position of the last event already processed, START for all, 'now' for new ones only. */
  readonly from: Position | 'now';
  readonly signal: AbortSignal;
  /** The most events in a batch (default 1,000). */
  readonly batchSize?: number;
}

/**
 * What a subscription hands over. `position` is how far the log has been looked through, which with
 * a filter may be past the last event: it is what a checkpoint stores. An empty batch with
 * `caughtUp` says that there is nothing more for now.
 */
export interface Batch {
  readonly events: readonly RecordedEvent[];
  readonly position: Position;
  /** Whether the batch reached the end of the log as it was when it was read. */
  readonly caughtUp: boolean;
}

/**
 * The log. Append-only; nothing in it is ever rewritten.
 *
 * Appends of one call are written all or not at all; appends to two streams are not atomic together.
 * With an explicit expected revision, events that already stand right after it with the same ids
 * are answered as the first time; with `any`, see REPEAT_WINDOW.
 */
export interface EventStore {
  /**
   * Resolves when the events are durable.
   * @throws WrongRevision, AppendRejected (too large or empty: nothing was written),
   *   StoreUnavailable (it may or may not have been written: repeat it unchanged).
   */
  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<Appended>;
  /**
   * Appends to many streams, each as `append` does and with an outcome of its own. Those to one stream
   * happen in their order. Resolves when the last is durable or refused, to as many outcomes in their order.
   */
  appendEach(appends: readonly StreamAppend[]): Promise<readonly AppendOutcome[]>;
  /** The events of one stream; empty if there is none. */
  read(stream: string, options?: ReadStream): AsyncIterable<RecordedEvent>;
  /** The events of the whole log in order of position. */
  readAll(options?: ReadAll): AsyncIterable<RecordedEvent>;
  /**
   * Catches up from `from`, then goes on live, without gap or repeat, until `signal` aborts.
   * The next batch is read when the consumer asks for it, so a slow consumer costs no memory.
   * @throws StoreUnavailable: subscribe again from the last position processed.
   */
  subscribe(options: Subscribe): AsyncIterable<Batch>;
  /** The position of the last event in the log, START when it is empty. */
  head(): Promise<Position>;
  /** Finishes what was accepted and lets go of the store; later calls throw StoreUnavailable. */
  stop(): Promise<void>;
}

/** The stream is not where the writer believed it to be. */
export class WrongRevision extends Error {
  override readonly name = 'WrongRevision';
  constructor(
    readonly stream: string,
    readonly expected: Expected,
    /** The stream's last revision, undefined when it has none or the store does not say. */
    readonly actual: number | undefined,
  ) {
    super(`stream ${stream} is at ${actual ?? 'nothing'}, not at ${expected}`);
  }
}

/** An append that no store would take: empty, too many events, or too large. */
export class AppendRejected extends Error {
  override readonly name = 'AppendRejected';
}

/** The store can't be reached, is full, damaged, or stopping. `reason` is stable, for code to test. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  constructor(
    readonly reason: 'stopped' | 'full' | 'damaged' | 'busy' | 'unreachable' | 'newer-format',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Whether what was thrown is a way in which an append may end, and no mistake of ours. */
export function isAppendFault(
  error: unknown,
): error is WrongRevision | AppendRejected | StoreUnavailable {
  return (
    error instanceof WrongRevision ||
    error instanceof AppendRejected ||
    error instanceof StoreUnavailable
  );
}
