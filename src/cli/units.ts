import { UsageError } from './errors.js';

const DURATIONS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  '': 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1_000,
  mb: 1_000_000,
  gb: 1_000_000_000,
  kib: 1_024,
  mib: 1_048_576,
  gib: 1_073_741_824,
};

function measured(option: string, text: string, units: typeof SIZES, example: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = units[match?.[2]?.toLowerCase() ?? '-'];
  if (match === null || unit === undefined) {
    throw new UsageError(`--${option} must look like ${example}`);
  }
  return Number(match[1]) * unit;
}

/** `10s`, `5m`, `1h`, `250ms`, `2d` or plain seconds, in milliseconds. */
export function parseDuration(option: string, text: string, leastMs = 1): number {
  const ms = measured(option, text, DURATIONS, '30s, 5m or 1h');
  if (ms < leastMs) throw new UsageError(`--${option} must be at least ${leastMs / 1_000} s`);
  return ms;
}

/** `64MiB`, `900kB` or plain bytes, in whole bytes. */
export function parseSize(option: string, text: string, least = 1): number {
  const bytes = Math.floor(measured(option, text, SIZES, '64MiB or 1GB'));
  if (bytes < least) throw new UsageError(`--${option} must be at least ${least} bytes`);
  return bytes;
}

/** A whole number between the bounds, both allowed. */
export function parseCount(option: string, text: string, least: number, most: number): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= least && count <= most)) {
    throw new UsageError(`--${option} must be a whole number from ${least} to ${most}`);
  }
  return count;
}

/** A number between the bounds, both allowed; fractions too. */
export function parseNumber(option: string, text: string, least: number, most: number): number {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new UsageError(`--${option} must be a number from ${least} to ${most}`);
  }
  return number;
}
