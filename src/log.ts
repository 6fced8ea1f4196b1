import { destination, pino, type Logger } from 'pino';

/** The log of a process or thread: JSON lines on standard output, written when the event loop has time. */
export function makeLog(level: string): Logger {
  return pino({ level, base: null }, destination({ fd: 1, sync: false }));
}
