import { BATCH_BYTES } from '../ingest.js';

/** Lines that go in one request, with the line of the file that each came from. */
export interface Batch {
  readonly lines: string[];
  readonly from: number[];
}

export interface Batcher {
  /** Adds a line; gives the batch that was full without it, if so. */
  add(line: string, from: number): Batch | null;
  /** What has been added since. */
  rest(): Batch;
}

/** Collects lines up to a number and up to the bytes that a request may have. */
export function batcher(mostLines: number, mostBytes = BATCH_BYTES): Batcher {
  let batch: Batch = { lines: [], from: [] };
  let bytes = 0;
  return {
    add: (line, from) => {
      const size = Buffer.byteLength(line) + 1;
      const isFull = batch.lines.length >= mostLines || bytes + size > mostBytes;
      const full = isFull && batch.lines.length > 0 ? batch : null;
      if (full !== null) [batch, bytes] = [{ lines: [], from: [] }, 0];
      batch.lines.push(line);
      batch.from.push(from);
      bytes += size;
      return full;
    },
    rest: () => batch,
  };
}
