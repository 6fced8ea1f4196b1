import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { signalsContract } from './signals.contract.js';

signalsContract('memory', async () => {
  const signals = createMemorySignals();
  return { here: signals, there: signals };
});
