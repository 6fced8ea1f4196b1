import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import {
  openSqliteEventLogReader,
  openSqliteEventStore,
} from '../../src/adapters/sqlite/eventStore.js';
import type { EventStore } from '../../src/events/eventStore.js';
import { startLogProcess, type LogProcess } from '../support/logProcess.js';
import { temporaryFile } from '../support/temporaryFile.js';
import { eventStoreContract } from './eventStore.contract.js';

let other: LogProcess;

beforeAll(async () => {
  other = await startLogProcess();
});
afterAll(() => other.end());

/** The contract on a log that this process and another have open together. */
function shared(name: string, open: (file: string) => Promise<EventStore>): void {
  eventStoreContract(name, async () => {
    const { file, remove } = temporaryFile('log.db');
    return { open: () => open(file), remove };
  });
}

// Nobody's signals reach another process here: each has to find what is new by itself.
const openHere = (file: string) => openSqliteEventStore({ file, signals: createMemorySignals() });

shared('SQLite, written in another process than it is read in', async (file) => {
  const writer = await other.open(file);
  const reader = await openSqliteEventLogReader({ file, signals: createMemorySignals() });
  const { append, appendEach } = writer;
  return { ...reader, append, appendEach, stop: stopping(writer, reader) };
});

shared('SQLite, read in another process than it is written in', async (file) => {
  const writer = await openHere(file);
  const reader = await other.openReader(file);
  const { append, appendEach } = writer;
  return { ...reader, append, appendEach, stop: stopping(writer, reader) };
});

shared('SQLite, written by two processes in turn and read in both', async (file) => {
  const stores = await Promise.all([openHere(file), other.open(file)]);
  let turn = 0;
  const next = () => stores[(turn += 1) % 2] ?? stores[0];
  return {
    append: (...append) => next().append(...append),
    appendEach: (...appends) => next().appendEach(...appends),
    read: (...read) => next().read(...read),
    readAll: (...read) => next().readAll(...read),
    subscribe: (options) => next().subscribe(options),
    head: () => next().head(),
    stop: stopping(...stores),
  };
});

function stopping(...stores: readonly Pick<EventStore, 'stop'>[]): () => Promise<void> {
  return async () => {
    await Promise.all(stores.map((store) => store.stop()));
  };
}
