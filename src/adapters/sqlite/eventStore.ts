import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import type { Signals } from '../../projections/signals.js';
import { openLogReader } from './logReader.js';
import { readsOf } from './logReads.js';
import { prepareLogFile } from './logSchema.js';
import { watchLog } from './logWatch.js';
import { startLogWriter, type LogWriterLinkOptions } from './logWriterLink.js';
import { follow } from './subscription.js';

export interface SqliteLogOptions {
  /** The database file; it and its folder are made when there are none. It needs a local disk. */
  readonly file: string;
  readonly signals: Signals;
}

/** The log without its writer: for a thread that only follows it. */
export type EventLogReader = Omit<EventStore, 'append' | 'appendEach'>;

/**
 * Opens a log for reading: no writer thread is started.
 * @throws StoreUnavailable when the file is damaged, foreign, of a newer format, or can't be opened.
 */
export async function openSqliteEventLogReader({
  file,
  signals,
}: SqliteLogOptions): Promise<EventLogReader> {
  prepareLogFile(file);
  const reader = openLogReader(file);
  const watch = watchLog(() => reader.head(), signals);
  return {
    ...readsOf(reader),
    subscribe: (options) => follow(reader, watch, options),
    head: async () => reader.head(),
    async stop() {
      watch.stop();
      reader.close();
    },
  };
}

/**
 * Opens a log for reading and appending. Any number of processes of one host may open the same file.
 * @throws StoreUnavailable as above.
 */
export async function openSqliteEventStore({
  file,
  signals,
  ...threadOptions
}: SqliteLogOptions & Pick<LogWriterLinkOptions, 'startThread' | 'onLost'>): Promise<EventStore> {
  const reader = await openSqliteEventLogReader({ file, signals });
  const writer = await startLogWriter({
    file,
    onCommit: grown(signals),
    ...threadOptions,
  }).catch(async (error: unknown) => {
    await reader.stop();
    throw error;
  });
  let stopped: Promise<void> | undefined;

  return {
    ...reader,
    append: writer.append,
    appendEach: writer.appendEach,
    stop() {
      // The writer goes last: the last connection to close folds the WAL into the database.
      stopped ??= reader.stop().then(() => writer.stop());
      return stopped;
    },
  };
}

/** Word of the log's growth goes out at once, and then not again for so many milliseconds. */
const TELL_EVERY_MS = 5;

/** A busy log grows hundreds of times a second, and each word of it costs more than its append did. */
function grown(signals: Signals): (position: Position) => void {
  let latest: Position | undefined;
  let resting = false;
  const tell = () => {
    resting = latest !== undefined;
    if (latest === undefined) return;
    signals.publish({ kind: 'log', position: latest });
    latest = undefined;
    setTimeout(tell, TELL_EVERY_MS).unref();
  };
  return (position) => {
    latest = position;
    if (!resting) tell();
  };
}
