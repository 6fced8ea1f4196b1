/** What the server takes as the name of a metric or of a log event. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}$/;

const LONGEST_MESSAGE = 4_096;

/** A heartbeat carries at most so many metrics. */
export const MOST_METRICS = 50;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One line of `POST /api/ingest`. */
export type IngestLine = {
  /** Chosen by the sender: the server stores one id of a device once. */
  readonly id: string;
  readonly deviceId?: string;
  /** RFC 3339. */
  readonly time: string;
} & (Heartbeat | Log);

interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly metrics?: Readonly<Record<string, number>>;
  readonly firmware?: string;
}

interface Log {
  readonly kind: 'log';
  readonly event: string;
  readonly level?: LogLevel;
  readonly message?: string;
  readonly value?: number;
  readonly data?: Readonly<Record<string, unknown>>;
}

export function isName(text: string): boolean {
  return NAME.test(text);
}

/** The nearest name that the server takes: `user@0.service` becomes `user-0.service`. */
export function asName(text: string, otherwise: string): string {
  const name = text
    .replace(/[^A-Za-z0-9_.:/-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return name === '' ? otherwise : name;
}

/** The message at the length that the server takes, never ending in half a character. */
export function cutMessage(text: string): string {
  if (text.length <= LONGEST_MESSAGE) return text;
  const last = text.charCodeAt(LONGEST_MESSAGE - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? LONGEST_MESSAGE - 1 : LONGEST_MESSAGE);
}

/** Guesses the level of a line of text from the words that programs use for it. */
export function guessLevel(text: string): LogLevel {
  const head = text.slice(0, 512);
  if (/\b(error|err|fatal|panic|critical|crit|emerg|alert|exception|fail(ed|ure)?)\b/i.test(head)) {
    return 'error';
  }
  if (/\b(warn(ing)?|deprecated)\b/i.test(head)) return 'warn';
  return /\b(debug|trace|verbose)\b/i.test(head) ? 'debug' : 'info';
}
