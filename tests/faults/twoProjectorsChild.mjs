// A process that does nothing but fold, until it is told to stop or killed. What it owns it says as a
// server does: in its log.
import { makeLog } from '../../dist/log.js';
import { startProjections } from '../../dist/projectionsRole.js';

const [log, readModels, shards] = process.argv.slice(2);
const stop = await startProjections(
  { files: { log, readModels }, instance: 'child', logLevel: 'info', shards: Number(shards) },
  makeLog('info'),
);
process.once('SIGTERM', () => void stop());
