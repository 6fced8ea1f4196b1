import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { openSqliteEventStore } from '../../src/adapters/sqlite/eventStore.js';
import { temporaryFile } from '../support/temporaryFile.js';
import { eventStoreContract } from './eventStore.contract.js';

eventStoreContract('SQLite', async () => {
  const { file, remove } = temporaryFile('log.db');
  const options = { file, signals: createMemorySignals() };
  return { open: () => openSqliteEventStore(options), remove };
});
