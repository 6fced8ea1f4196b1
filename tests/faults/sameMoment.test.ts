import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { eachWithFolder } from '../support/folder.js';

const THREAD = new URL('sameMomentThread.mjs', import.meta.url);
const THREADS = 6;
const ROUNDS = 40;
const folder = eachWithFolder();

describe('embedded stores made by many at the same moment', () => {
  it('are made once, and nobody takes them for foreign or gives up', async () => {
    // One in twenty starts took the other's half-read marks for another application's, and one in a
    // hundred was refused the turn to WAL, for which SQLite does not wait.
    const arrivals = new Int32Array(new SharedArrayBuffer(4 * ROUNDS));
    const threads = Array.from(
      { length: THREADS },
      () => new Worker(THREAD, { workerData: { folder: folder.path, arrivals, threads: THREADS } }),
    );
    const faults = await Promise.all(threads.map((thread) => once(thread, 'message')));
    expect(faults.flat(2)).toEqual([]);
    await Promise.all(threads.map((thread) => thread.terminate()));
  });
});
