export type TimeFormat = 'iso' | 'unix' | 'unixms';

export const TIME_FORMATS: readonly TimeFormat[] = ['iso', 'unix', 'unixms'];

export function isTimeFormat(text: string): text is TimeFormat {
  return TIME_FORMATS.some((format) => format === text);
}

/** The last millisecond of the year 9999: RFC 3339 has four digits. */
const LATEST = 253_402_300_799_999;

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/**
 * Reads a time, in milliseconds since the epoch; undefined when it is none, or none that a server
 * takes (1970 to 9999). A date alone is its midnight, and without a zone it is UTC.
 */
export function parseTime(format: TimeFormat, text: string): number | undefined {
  const ms = format === 'iso' ? isoTime(text) : unixTime(text, format === 'unix' ? 1_000 : 1);
  return ms !== undefined && ms >= 0 && ms <= LATEST ? ms : undefined;
}

function unixTime(text: string, scale: number): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * scale) : undefined;
}

function isoTime(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const [hour, minute, second] = [part(4), part(5), part(6)];
  const fraction = Math.floor(Number(`0.${match[7] ?? '0'}`) * 1_000);
  const midnight = Date.UTC(part(1), part(2) - 1, part(3));
  // Date takes the 30th of February for the 2nd of March.
  const date = new Date(midnight);
  const isDate = date.getUTCMonth() === part(2) - 1 && date.getUTCDate() === part(3);
  if (!isDate || hour > 23 || minute > 59 || second > 59) return undefined;
  const offset = zoneMinutes(match[8] ?? 'Z');
  if (offset === undefined) return undefined;
  return midnight + (hour * 60 + minute - offset) * 60_000 + second * 1_000 + fraction;
}

function zoneMinutes(zone: string): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || 0);
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
