import { memoryReadModels } from '../../src/adapters/memory/readModels.js';
import { readModelsContract } from './readModels.contract.js';

readModelsContract('in memory', async () => {
  const { store, reads } = memoryReadModels();
  return { store: () => store, reads: () => reads, stop: async () => {} };
});
