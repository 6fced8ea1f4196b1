import type { Spread } from './statistics.js';

/** Figures as tables show them: no more digits than a run on a shared machine can stand for. */

export function count(value: number): string {
  const digits = value < 10 ? 1 : 0;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

export function millis(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

export function ratio(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)}×`;
}

/** The median of several rounds, with the least and the most of them. */
export function spreadOf(
  { median, least, most }: Spread,
  show: (value: number) => string = count,
): string {
  return `${show(median)} (${show(least)}–${show(most)})`;
}

export function micros(value: number): string {
  return Number.isNaN(value) ? '–' : `${value.toFixed(value < 10 ? 1 : 0)} µs`;
}
