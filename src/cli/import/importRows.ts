import type { Send } from '../client.js';
import { CommandFailed } from '../errors.js';
import { ingest } from '../ingest.js';
import { batcher, type Batch } from './batches.js';
import { layoutOf, type MetricColumn } from './columns.js';
import type { Line } from './csvFile.js';
import { recordReader, type CsvRecord } from './records.js';
import { rowLines, type RowLines, type RowReading } from './rowLines.js';

export interface ImportPlan extends Omit<RowReading, 'layout'> {
  readonly time: string;
  readonly metrics: readonly MetricColumn[];
  readonly log: string | undefined;
  readonly delimiter: string;
  readonly batchLines: number;
  /** Records that begin before this line of the file are passed over. */
  readonly fromLine: number;
}

/** How an import stands. Rows are of the file, lines are what was sent. */
export interface ImportCounts {
  rows: number;
  accepted: number;
  /** Rows that could not be read, and lines that the server refused. */
  rejected: number;
  /** Rows in which no wanted column had a value. */
  empty: number;
  /**
   * Where another run goes on: the last row that the server has answered for, since half of it may
   * be in the next batch. The other half is known by its id.
   */
  nextLine: number;
}

export interface ImportDeps {
  readonly send: Send;
  readonly counts: ImportCounts;
  readonly onRejected: (line: number, reason: string) => void;
}

/**
 * Sends the rows of a file, one batch under way while the next is read, so that memory stays flat
 * and a batch whose answer was lost is still among the device's last events when it is repeated.
 * Ends early, without an error, when the signal aborts.
 */
export async function importRows(
  deps: ImportDeps,
  plan: ImportPlan,
  lines: AsyncIterable<readonly Line[]>,
  signal: AbortSignal,
): Promise<void> {
  const { counts } = deps;
  const reader = recordReader(plan.delimiter);
  const batches = batcher(plan.batchLines);
  let read: ((row: readonly string[]) => RowLines) | undefined;
  let underWay = Promise.resolve();

  const reject = (line: number, reason: string) => {
    counts.rejected += 1;
    deps.onRejected(line, reason);
  };

  async function dispatch(batch: Batch): Promise<void> {
    await underWay;
    underWay = deliver(batch);
    // It is awaited before the next; until then its failure must not end the process.
    underWay.catch(() => undefined);
  }

  async function deliver({ lines, from }: Batch): Promise<void> {
    if (lines.length === 0) return;
    const answers = await ingest(deps.send, lines);
    answers.forEach(({ status, code, detail }, index) => {
      if (status >= 200 && status < 300) counts.accepted += 1;
      else reject(from[index] ?? 0, `${status} ${code ?? ''} ${detail ?? ''}`.trim());
    });
    counts.nextLine = Math.max(counts.nextLine, from.at(-1) ?? 0);
  }

  async function takeRecord(record: CsvRecord): Promise<void> {
    if (read === undefined) {
      if (record.kind === 'bad') throw new CommandFailed(`the header: ${record.reason}`);
      read = rowLines({ ...plan, layout: layoutOf(record.cells, plan) });
      return;
    }
    if (record.line < plan.fromLine) {
      // Read all the same: of equal rows each has its number in the file.
      if (record.kind !== 'bad') read(record.cells);
      return;
    }
    counts.rows += 1;
    const row = record.kind === 'bad' ? record : read(record.cells);
    if (row.kind === 'bad') {
      reject(record.line, row.reason);
      return;
    }
    if (row.lines.length === 0) counts.empty += 1;
    for (const line of row.lines) {
      const full = batches.add(line, record.line);
      if (full !== null) await dispatch(full);
    }
  }

  for await (const chunk of lines) {
    for (const line of chunk) {
      for (const record of reader.take(line)) await takeRecord(record);
    }
    if (signal.aborted) return underWay;
  }
  for (const record of reader.end()) await takeRecord(record);
  if (read === undefined) throw new CommandFailed('the file is empty');
  await dispatch(batches.rest());
  await underWay;
}
