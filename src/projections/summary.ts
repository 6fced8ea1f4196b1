/**
 * What is kept of many numbers: enough for count, sum, mean and range, and to be added to another. A
 * sum stops at the largest number that there is, since JSON has none beyond it.
 */
export type Summary = Readonly<{ count: number; sum: number; min: number; max: number }>;

/** The summary with one more value in it. */
export function include(summary: Summary | undefined, value: number): Summary {
  return merge(summary, { count: 1, sum: value, min: value, max: value });
}

/** Both summaries as one. */
export function merge(a: Summary | undefined, b: Summary): Summary {
  if (a === undefined) return b;
  return {
    count: a.count + b.count,
    sum: finite(a.sum + b.sum),
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  };
}

/** A sum as JSON can hold it. */
export function finite(sum: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum));
}

/** The most names that one document counts apart: a device that invents names can't make it grow. */
export const MAX_NAMES = 100;

/** What names beyond MAX_NAMES are counted under; no name can be it, since names start with a letter or digit. */
export const OTHER = '_other';

/** The name under which a record counts `name`: itself, or OTHER once the record is full. */
export function boundedName(record: Readonly<Record<string, unknown>>, name: string): string {
  if (Object.hasOwn(record, name) || Object.keys(record).length < MAX_NAMES) return name;
  return OTHER;
}

/** The own value of a record, which may be keyed by names that Object.prototype knows too. */
export function own<Value>(record: Readonly<Record<string, Value>>, name: string) {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
