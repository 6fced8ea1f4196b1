import { parse } from 'csv-parse/sync';
import { LONGEST_LINE, type Line } from './csvFile.js';

/** One record of a CSV file (RFC 4180), or why there is none. */
export type CsvRecord =
  | { readonly kind: 'cells'; readonly line: number; readonly cells: readonly string[] }
  | { readonly kind: 'bad'; readonly line: number; readonly reason: string };

export interface RecordReader {
  /** The records that a line completes. */
  take(line: Line): readonly CsvRecord[];
  /** The records left over at the end of the file. */
  end(): readonly CsvRecord[];
}

interface HeldLine extends Line {
  /** Whether it opens a quote that it doesn't close, or closes one. */
  readonly turns: boolean;
}

/** A record with line breaks in its cells is no longer than this. */
const LONGEST_RECORD = 65_536;

/**
 * Makes records of lines. A parser that reads on for the end of a quote takes the whole rest of a
 * file for one cell when a quote is astray; this one gives up on the line where the quote began,
 * and goes on with the next.
 */
export function recordReader(delimiter: string): RecordReader {
  let held: HeldLine[] = [];
  let size = 0;

  function take(line: Line): readonly CsvRecord[] {
    const quotes = countQuotes(line.text);
    if (held.length === 0 && quotes === 0) {
      return line.text === '' ? [] : [plain(line, delimiter)];
    }
    held.push({ ...line, turns: quotes % 2 === 1 });
    size += line.text.length + 1;
    const staysOpen = held.length > 1 && quotes % 2 === 0 && size <= LONGEST_RECORD;
    return staysOpen ? [] : release(false);
  }

  function release(atEnd: boolean): readonly CsvRecord[] {
    const records: CsvRecord[] = [];
    let done = 0;
    for (let first = held[done]; first !== undefined; first = held[done]) {
      const count = linesOfRecord(held, done);
      if (count === 0 && !atEnd && size <= LONGEST_RECORD) break;
      const record =
        count === 0 ? unclosed(first) : quoted(held.slice(done, done + count), first, delimiter);
      records.push(record);
      const after = done + (record.kind === 'bad' ? 1 : count);
      for (; done < after; done += 1) size -= (held[done]?.text.length ?? 0) + 1;
    }
    held = held.slice(done);
    return records.filter((record) => !isEmpty(record));
  }

  return { take, end: () => release(true) };
}

function countQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count += 1;
  return count;
}

/** How many lines from the given one on make a record; 0 while a quote is open. */
function linesOfRecord(lines: readonly HeldLine[], from: number): number {
  if (lines[from]?.turns === false) return 1;
  const closing = lines.findIndex(({ turns }, index) => index > from && turns);
  return closing < 0 ? 0 : closing - from + 1;
}

function isEmpty(record: CsvRecord): boolean {
  return record.kind === 'cells' && record.cells.length === 1 && record.cells[0] === '';
}

function plain({ number, text }: Line, delimiter: string): CsvRecord {
  if (text.length > LONGEST_LINE) return { kind: 'bad', line: number, reason: 'too long a line' };
  return { kind: 'cells', line: number, cells: text.split(delimiter) };
}

function unclosed({ number }: Line): CsvRecord {
  return { kind: 'bad', line: number, reason: 'a quote is never closed' };
}

function quoted(lines: readonly Line[], first: Line, delimiter: string): CsvRecord {
  const line = first.number;
  try {
    const text = lines.map(({ text }) => text).join('\n');
    const [cells = ['']] = parse(text, { delimiter, relax_column_count: true });
    return { kind: 'cells', line, cells };
  } catch {
    return { kind: 'bad', line, reason: 'a quote stands where none may' };
  }
}
