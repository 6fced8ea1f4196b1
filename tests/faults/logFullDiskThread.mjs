// The log's writer thread on a disk with so many pages: SQLite refuses more as it does on a full disk.
// A number posted to the port given sets how many there are.
import Database from 'better-sqlite3';
import { workerData } from 'node:worker_threads';

const { pages } = workerData;
const pragma = Database.prototype.pragma;
Database.prototype.pragma = function (source, options) {
  if (source === 'synchronous = FULL') {
    pages.on('message', (count) => {
      pragma.call(this, `max_page_count = ${count}`);
      pages.postMessage('set');
    });
    pages.unref();
  }
  return pragma.call(this, source, options);
};
await import('../../dist/adapters/sqlite/logWriterThread.js');
