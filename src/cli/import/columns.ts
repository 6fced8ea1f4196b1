import { CommandFailed, UsageError } from '../errors.js';
import { isName, MOST_METRICS } from '../telemetry.js';

/** A column that becomes a metric. */
export interface MetricColumn {
  readonly column: string;
  readonly metric: string;
}

/** Where in a row the wanted columns stand. */
export interface Layout {
  readonly time: number;
  readonly metrics: readonly { readonly index: number; readonly metric: string }[];
  readonly log: number | undefined;
}

/**
 * Reads `--metric` options: `temperature`, or `Temp (C)=temperature` to give it a name.
 *
 * @throws UsageError for a name that the server would refuse, one given twice, or too many.
 */
export function parseMetricOptions(texts: readonly string[]): readonly MetricColumn[] {
  const columns = texts.map((text) => {
    const equals = text.lastIndexOf('=');
    const column = equals < 0 ? text : text.slice(0, equals);
    const metric = equals < 0 ? text : text.slice(equals + 1);
    if (column !== '' && isName(metric)) return { column, metric };
    throw new UsageError(
      `--metric "${text}" needs a name of letters, digits and _.:/-: --metric "${text}=name"`,
    );
  });
  if (new Set(columns.map(({ metric }) => metric)).size < columns.length) {
    throw new UsageError('--metric: two columns would become one metric');
  }
  if (columns.length > MOST_METRICS) {
    throw new UsageError(`--metric may be given ${MOST_METRICS} times`);
  }
  return columns;
}

/** Finds the wanted columns in the header. Throws CommandFailed when one is missing or there twice. */
export function layoutOf(
  header: readonly string[],
  wanted: {
    readonly time: string;
    readonly metrics: readonly MetricColumn[];
    readonly log: string | undefined;
  },
): Layout {
  const names = header.map((name) => name.trim());
  const find = (column: string): number => {
    const index = names.indexOf(column.trim());
    if (index < 0) {
      throw new CommandFailed(`the file has no column "${column}"; it has: ${names.join(', ')}`);
    }
    if (names.includes(column.trim(), index + 1)) {
      throw new CommandFailed(`the file has two columns "${column}"`);
    }
    return index;
  };
  return {
    time: find(wanted.time),
    metrics: wanted.metrics.map(({ column, metric }) => ({ index: find(column), metric })),
    log: wanted.log === undefined ? undefined : find(wanted.log),
  };
}
