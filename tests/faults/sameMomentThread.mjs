// Opens a new log and new read models in each round, at the same moment as the other threads do, and
// says what went wrong. Threads, because they can wait for each other to the microsecond.
import { parentPort, workerData } from 'node:worker_threads';
import { prepareLogFile } from '../../dist/adapters/sqlite/logSchema.js';
import { connectReadModelWriter } from '../../dist/adapters/sqlite/readModelFile.js';

const { folder, arrivals, threads } = workerData;
const faults = [];
for (let round = 0; round < arrivals.length; round++) {
  if (Atomics.add(arrivals, round, 1) + 1 === threads) Atomics.notify(arrivals, round);
  for (let here; (here = Atomics.load(arrivals, round)) < threads;) {
    Atomics.wait(arrivals, round, here);
  }
  try {
    prepareLogFile(`${folder}/${round}-log.db`);
    connectReadModelWriter(`${folder}/${round}-read-models.db`).close();
  } catch (error) {
    faults.push(error.message);
  }
}
parentPort.postMessage(faults);
