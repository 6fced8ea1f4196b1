// Appends as it is told with 1,000 appends in flight, until it has had so many acknowledged: then it
// is killed, in the midst of whatever its threads are doing. Acknowledgements go to a file because
// writes to a pipe may still wait in a process when it dies.
import { openSync, readFileSync, writeSync } from 'node:fs';
import { createMemorySignals } from '../../dist/adapters/memory/signals.js';
import { openSqliteEventStore } from '../../dist/adapters/sqlite/eventStore.js';

const IN_FLIGHT = 1_000;

const [file, planFile, acknowledgedFile, deathAfter] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planFile, 'utf8'));
const acknowledged = openSync(acknowledgedFile, 'w');
const store = await openSqliteEventStore({ file, signals: createMemorySignals() });

let next = 0;
let answers = 0;
const appendOn = async () => {
  while (next < plan.length) {
    const index = next++;
    const { stream, events, expected } = plan[index];
    const { revision } = await store.append(stream, events, expected);
    writeSync(acknowledged, `${index} ${revision}\n`);
    answers += 1;
    if (answers === Number(deathAfter)) process.kill(process.pid, 'SIGKILL');
  }
};
await Promise.all(Array.from({ length: IN_FLIGHT }, appendOn));
