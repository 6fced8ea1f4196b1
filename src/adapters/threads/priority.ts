import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** A background thread's niceness: where processors are short it gets a third of what serving gets. */
const NICENESS = 5;

/**
 * Lets the calling thread step back behind those that answer requests. Linux counts niceness by
 * thread (setpriority(2), "C library/kernel differences"); elsewhere nothing happens.
 */
export function yieldToServing(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').pop());
    setPriority(thread, NICENESS);
  } catch {
    // No such thing here, or not allowed: the thread stays as it is.
  }
}
