import { createThreadSignals } from '../../src/adapters/threads/signals.js';
import { signalsContract } from './signals.contract.js';

let instances = 0;

signalsContract('threads', async () => {
  const instance = `contract-${process.pid}-${++instances}`;
  return { here: createThreadSignals(instance), there: createThreadSignals(instance) };
});
