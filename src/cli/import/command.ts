import { account, accountOptions, chosenUrl, DEFAULT_URL, patientConnection } from '../account.js';
import type { Send } from '../client.js';
import { defineCommand, type Context } from '../command.js';
import { UsageError } from '../errors.js';
import { BATCH_LINES } from '../ingest.js';
import { figure, progressOn, type Progress } from '../progress.js';
import { authorized, logIn } from '../session.js';
import { parseCount } from '../units.js';
import { parseMetricOptions } from './columns.js';
import { openCsvFile, type CsvFile } from './csvFile.js';
import { importRows, type ImportCounts, type ImportPlan } from './importRows.js';
import { isTimeFormat, TIME_FORMATS } from './times.js';

/** So many rejected rows are shown; all are counted. */
const SHOWN = 20;

const PATIENCE_MS = 300_000;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const importCsv = defineCommand({
  name: 'import',
  description: `Sends each row of a CSV file (plain or gzipped) as a heartbeat with the row's own time and
metrics, and with --log as a log too. A row that can't be read is told by its line and does not
stop the others. Ids come from the rows, so a batch sent again is not stored twice while it is
among the device's last 1,000 events. Log in, or give a device token in FLEETBOOK_TOKEN.`,
  options: {
    ...accountOptions,
    device: { type: 'string', value: 'ID', help: 'the device that the series is of' },
    csv: { type: 'string', value: 'FILE', help: 'the file; its first row names the columns' },
    time: { type: 'string', value: 'COLUMN', help: 'the column of the time' },
    metric: {
      type: 'string',
      value: 'COLUMN[=NAME]',
      multiple: true,
      help: 'a column of numbers, and the metric’s name; may be given again',
    },
    log: { type: 'string', value: 'COLUMN', help: 'a column of text, sent as log messages' },
    'time-format': {
      type: 'string',
      value: TIME_FORMATS.join('|'),
      default: 'iso',
      help: 'without a zone it is UTC',
    },
    missing: {
      type: 'string',
      value: 'TEXT',
      multiple: true,
      help: 'means no value, as NA does in some files; may be given again',
    },
    delimiter: {
      type: 'string',
      value: 'CHAR',
      default: ',',
      help: 'between cells; "tab" for one',
    },
    batch: {
      type: 'string',
      value: 'N',
      default: String(BATCH_LINES),
      help: 'lines in a request; above 1000 a repetition may be stored twice',
    },
    'from-line': { type: 'string', value: 'N', default: '1', help: 'goes on from this line' },
  },
  run: async (context, values) => {
    const plan = planOf(values);
    if (values.csv === undefined) throw new UsageError('--csv <file> is missing');
    const file = await openCsvFile(values.csv);
    const url = chosenUrl(context, values.url) ?? DEFAULT_URL;
    const connection = patientConnection(context, url, PATIENCE_MS);
    const progress = progressOn(context.err);
    const counts = { rows: 0, accepted: 0, rejected: 0, empty: 0, nextLine: plan.fromLine };
    const finished = new AbortController();
    const signal = context.interrupted();
    const started = context.runtime.monotonic();
    const elapsed = () => context.runtime.monotonic() - started;
    let complete = false;
    try {
      const send = await authorize(context, connection.send, values);
      void showEachSecond(context, progress, () => line(file, counts, elapsed()), finished.signal);
      const onRejected = (at: number, reason: string) => {
        if (counts.rejected <= SHOWN) progress.remark(`line ${at}: ${reason}`);
      };
      await importRows({ send, counts, onRejected }, plan, file.lines(), signal);
      complete = !signal.aborted;
    } finally {
      finished.abort();
      progress.end();
      if (counts.rows > 0) context.out.write(`${summary(counts, elapsed())}\n`);
      if (!complete && counts.accepted > 0) {
        context.out.write(`to go on: the same with --from-line ${counts.nextLine}\n`);
      }
      await connection.close();
    }
    return complete && counts.rejected === 0 ? 0 : 1;
  },
});

interface PlanValues {
  readonly device?: string | undefined;
  readonly time?: string | undefined;
  readonly metric?: readonly string[] | undefined;
  readonly missing?: readonly string[] | undefined;
  readonly log?: string | undefined;
  readonly 'time-format': string;
  readonly delimiter: string;
  readonly batch: string;
  readonly 'from-line': string;
}

function planOf(values: PlanValues): ImportPlan {
  const { device, time, log } = values;
  const delimiter = values.delimiter === 'tab' ? '\t' : values.delimiter;
  const timeFormat = values['time-format'];
  if (device === undefined || !UUID.test(device)) throw new UsageError('--device must be an id');
  if (time === undefined) throw new UsageError('--time <column> is missing');
  if (!isTimeFormat(timeFormat)) {
    throw new UsageError(`--time-format must be ${TIME_FORMATS.join(', ')}`);
  }
  if (delimiter.length !== 1 || '"\r\n'.includes(delimiter)) {
    throw new UsageError('--delimiter must be one character, or "tab"');
  }
  const metrics = parseMetricOptions(values.metric ?? []);
  if (metrics.length === 0 && log === undefined) {
    throw new UsageError('nothing to import: give --metric <column> or --log <column>');
  }
  return {
    deviceId: device.toLowerCase(),
    time,
    metrics,
    log,
    timeFormat,
    delimiter,
    missing: new Set(values.missing),
    batchLines: parseCount('batch', values.batch, 1, 10_000),
    fromLine: parseCount('from-line', values['from-line'], 1, Number.MAX_SAFE_INTEGER),
  };
}

async function authorize(
  context: Context,
  send: Send,
  values: Parameters<typeof account>[1],
): Promise<Send> {
  const token = context.env.FLEETBOOK_TOKEN;
  if (token !== undefined && token !== '') return (request) => send({ ...request, token });
  const credentials = await account(context, values);
  return authorized(send, await logIn({ send, runtime: context.runtime }, credentials));
}

async function showEachSecond(
  { runtime }: Context,
  progress: Progress,
  state: () => string,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await runtime.sleep(1_000, signal);
    if (signal.aborted) return;
    progress.show(state());
  }
}

function line(file: CsvFile, counts: ImportCounts, elapsedMs: number): string {
  return (
    `${Math.floor(file.part * 100)}%  rows ${figure(counts.rows)}  ` +
    `accepted ${figure(counts.accepted)}  rejected ${figure(counts.rejected)}  ` +
    `${perSecond(counts, elapsedMs)} lines/s`
  );
}

function summary(counts: ImportCounts, elapsedMs: number): string {
  return [
    `rows      ${figure(counts.rows)}`,
    `accepted  ${figure(counts.accepted)}`,
    `rejected  ${figure(counts.rejected)}`,
    `empty     ${figure(counts.empty)}`,
    `lines/s   ${perSecond(counts, elapsedMs)} over ${(elapsedMs / 1_000).toFixed(1)} s`,
  ].join('\n');
}

function perSecond({ accepted, rejected }: ImportCounts, elapsedMs: number): string {
  return figure(elapsedMs > 0 ? ((accepted + rejected) * 1_000) / elapsedMs : 0);
}
