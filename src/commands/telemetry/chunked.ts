import type { Decided } from './decided.js';

/** A store takes 1 MiB in one append: half of it, since metadata comes on top. */
const APPEND_BYTES = 512 * 1024;
const APPEND_EVENTS = 1_000;

/** Cuts a device's reports into appends that every store takes. */
export function* chunked(decided: readonly Decided[]): Generator<readonly Decided[]> {
  let chunk: Decided[] = [];
  let bytes = 0;
  for (const one of decided) {
    const size = Buffer.byteLength(JSON.stringify(one.event));
    if (chunk.length > 0 && (bytes + size > APPEND_BYTES || chunk.length >= APPEND_EVENTS)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(one);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}
