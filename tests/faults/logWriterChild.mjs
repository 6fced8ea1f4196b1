// A second process on the same log: appends `count` events to a contended stream, each expecting the
// revision it has read, and as many to a stream of its own; then it ends.
import { randomUUID } from 'node:crypto';
import { createMemorySignals } from '../../dist/adapters/memory/signals.js';
import { openSqliteEventStore } from '../../dist/adapters/sqlite/eventStore.js';
import { WrongRevision } from '../../dist/events/eventStore.js';

const [file, count] = process.argv.slice(2);
const metadata = { actor: { kind: 'system', id: 'child' }, commandId: 'child' };
const event = () => ({ id: randomUUID(), type: 'FromChild', time: 1, data: {}, metadata });
const store = await openSqliteEventStore({ file, signals: createMemorySignals() });

const lastRevision = async () => {
  for await (const { revision } of store.read('contended', { direction: 'backwards', limit: 1 })) {
    return revision;
  }
  return 'none';
};

for (let n = 0; n < Number(count); n++) {
  await store.append(`child-${process.pid}`, [event()], 'any');
  const contended = event();
  for (let written = false; !written;) {
    try {
      await store.append('contended', [contended], await lastRevision());
      written = true;
    } catch (error) {
      if (!(error instanceof WrongRevision)) throw error;
    }
  }
}
await store.stop();
