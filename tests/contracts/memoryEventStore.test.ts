import { createMemoryLog, openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { eventStoreContract } from './eventStore.contract.js';

eventStoreContract('memory', async () => {
  const log = createMemoryLog();
  return { open: async () => openMemoryEventStore({ log }), remove: () => {} };
});
