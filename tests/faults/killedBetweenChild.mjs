// A process that folds, and dies by its own hand in the midst of a commit: once so many writes have been done
// since it began, whatever was to follow them.
import { writeSync } from 'node:fs';
import Database from 'better-sqlite3';
import { Collection } from 'mongodb';
import { makeLog } from '../../dist/log.js';
import { startProjections } from '../../dist/projectionsRole.js';

const [log, readModels, uri, text] = process.argv.slice(2);
let left = Number(text);

function written() {
  left -= 1;
  if (left > 0) return;
  writeSync(1, 'died\n');
  process.kill(process.pid, 'SIGKILL');
}

if (uri === '') {
  const prototype = Object.getPrototypeOf(new Database(':memory:').prepare('SELECT 1'));
  const { run } = prototype;
  prototype.run = function (...values) {
    const result = run.apply(this, values);
    written();
    return result;
  };
} else {
  const { bulkWrite } = Collection.prototype;
  Collection.prototype.bulkWrite = async function (...values) {
    const result = await bulkWrite.apply(this, values);
    written();
    return result;
  };
}

const mongodb =
  uri === '' ? undefined : { uri, minPoolSize: 0, maxPoolSize: 20, transactions: 'never' };
await startProjections(
  { files: { log, readModels }, mongodb, instance: 'child', logLevel: 'info', shards: 1 },
  makeLog('silent'),
);
