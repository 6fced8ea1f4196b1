/**
 * Time and chance. Everything that decides, folds or answers takes these from here, so that a test
 * can drive the clock and repeat the dice.
 */
export interface Runtime {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Milliseconds from an arbitrary start, never going back: for durations. */
  monotonic(): number;
  /** A new lower-case, time-ordered UUID (version 7, RFC 9562). */
  uuid(): string;
  /** Cryptographically strong random bytes. */
  randomBytes(size: number): Buffer;
  /** Calls back once after `ms`; the timer does not keep the process alive. */
  setTimer(ms: number, callback: () => void): Timer;
  /** Resolves after `ms`, or as soon as `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Lets everything else that waits for the event loop go first; of those that wait here, one gets a turn. */
  yield(): Promise<void>;
}

export interface Timer {
  cancel(): void;
}
