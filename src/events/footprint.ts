/** What V8 takes for an object or array, a string, an element and a property, in bytes: measured, rounded up. */
const OBJECT = 56;
const STRING = 24;
const ELEMENT = 16;
const PROPERTY = 44;

/**
 * About how many bytes a JSON value takes as objects in memory. As text it may be a twentieth of
 * that: what many events or states hold has to be bounded by this.
 */
export function footprint(value: unknown): number {
  if (typeof value === 'string') return STRING + value.length;
  if (typeof value !== 'object' || value === null) return 0;
  const place = Array.isArray(value) ? ELEMENT : PROPERTY;
  let bytes = OBJECT;
  for (const inner of Object.values(value)) bytes += place + footprint(inner);
  return bytes;
}
