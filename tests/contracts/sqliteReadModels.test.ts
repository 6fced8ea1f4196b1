import { sqliteReadModelStore } from '../../src/adapters/sqlite/readModelStore.js';
import { sqliteReadModels } from '../../src/adapters/sqlite/readModels.js';
import { temporaryFile } from '../support/temporaryFile.js';
import { readModelsContract } from './readModels.contract.js';

readModelsContract('in SQLite', async () => {
  const temporary = temporaryFile('read-models.db');
  const opened: { stop(): Promise<void> }[] = [];
  const keep = <Side extends { stop(): Promise<void> }>(side: Side) => {
    opened.push(side);
    return side;
  };
  return {
    store: () => keep(sqliteReadModelStore(temporary.file)),
    reads: () => keep(sqliteReadModels(temporary.file)),
    async stop() {
      await Promise.all(opened.map((side) => side.stop()));
      temporary.remove();
    },
  };
});
