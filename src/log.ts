import { destination, pino, type Logger } from 'pino';

/** Lines wait for this many bytes or milliseconds, so that a busy server writes many at once. */
const BUFFER_BYTES = 8_192;
const FLUSH_MS = 100;

/** The log of a process or thread: JSON lines on standard output, written off the event loop. */
export function makeLog(level: string): Logger {
  const output = destination({
    fd: 1,
    sync: false,
    minLength: BUFFER_BYTES,
    periodicFlush: FLUSH_MS,
  });
  return pino({ level, base: null }, output);
}
