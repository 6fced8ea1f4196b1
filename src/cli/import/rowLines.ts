import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { cutMessage, guessLevel, type IngestLine } from '../telemetry.js';
import type { Layout } from './columns.js';
import { parseTime, type TimeFormat } from './times.js';

export interface RowReading {
  readonly deviceId: string;
  readonly layout: Layout;
  readonly timeFormat: TimeFormat;
  /** Cells that say that there is no value, beside the empty one. */
  readonly missing: ReadonlySet<string>;
}

/** The ingest lines (JSON texts) of one row, none when it holds nothing; or why it can't be read. */
export type RowLines =
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  | { readonly kind: 'bad'; readonly reason: string };

/** More than the server looks back for one device. */
const REMEMBERED_LINES = 20_000;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Turns a row of the file into a heartbeat with its metrics, and a log with its text. */
export function rowLines(reading: RowReading): (row: readonly string[]) => RowLines {
  const { layout, missing } = reading;
  /** How often a line was there already, of those that the server would take for a repeat. */
  const before = new LRUCache<string, number>({ max: REMEMBERED_LINES });

  return (row) => {
    const cell = (index: number): string => {
      const text = row[index]?.trim() ?? '';
      return missing.has(text) ? '' : text;
    };
    const timeCell = cell(layout.time);
    if (timeCell === '') return bad('no time');
    const ms = parseTime(reading.timeFormat, timeCell);
    if (ms === undefined) return bad(`"${short(timeCell)}" is no time (${reading.timeFormat})`);
    const time = new Date(ms).toISOString();

    const metrics: Record<string, number> = {};
    let measured = false;
    for (const { index, metric } of layout.metrics) {
      const text = cell(index);
      if (text === '') continue;
      const value = NUMBER.test(text) ? Number(text) : Number.NaN;
      if (!Number.isFinite(value)) return bad(`${metric}: "${short(text)}" is no number`);
      metrics[metric] = value;
      measured = true;
    }

    const message = layout.log === undefined ? '' : cutMessage(cell(layout.log));
    const lines: string[] = [];
    if (measured) lines.push(ingestLine(row, { kind: 'heartbeat', time, metrics }));
    if (message !== '') {
      const level = guessLevel(message);
      lines.push(ingestLine(row, { kind: 'log', time, event: 'log-line', level, message }));
    }
    return { kind: 'lines', lines };
  };

  /**
   * The id comes from what the row says, so that the same row is known again in another run; and from how
   * many like it came before, so that two in one file are two.
   */
  function ingestLine(row: readonly string[], said: Said): string {
    const { deviceId } = reading;
    const content = hash('sha256', JSON.stringify([deviceId, said, row])).slice(0, 32);
    const nth = before.get(content) ?? 0;
    before.set(content, nth + 1);
    const id = nth === 0 ? content : `${content}-${nth}`;
    const line: IngestLine = { id, deviceId, ...said };
    return JSON.stringify(line);
  }
}

type Said = IngestLine extends infer Line
  ? Line extends unknown
    ? Omit<Line, 'id' | 'deviceId'>
    : never
  : never;

function bad(reason: string): RowLines {
  return { kind: 'bad', reason };
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
