import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { healthCheck } from '../../src/api/health.js';
import { START, type Position } from '../../src/events/envelope.js';
import { manualRuntime } from '../support/manualRuntime.js';
import { anEvent } from '../support/logEvents.js';

describe('the health of a projection', () => {
  async function behindFor(ms: number, checkpoint?: Position) {
    const runtime = manualRuntime();
    const store = openMemoryEventStore();
    await store.append('thing-1', [anEvent({ time: runtime.now() })], 'none');
    await runtime.advance(ms);
    const shown = checkpoint ?? (await store.head());
    const checkpoints = async () => [{ name: 'devices' as const, checkpoint: shown, parked: 0 }];
    const health = await healthCheck({ store, checkpoints, runtime })();
    return [health.status, health.dependencies.readModels.projections.devices?.status];
  }

  it('is good where it has folded everything, however long ago', async () => {
    expect(await behindFor(3_600_000)).toEqual(['ok', 'ok']);
  });

  it('is good while it is behind for a moment', async () => {
    expect(await behindFor(9_000, START)).toEqual(['ok', 'ok']);
  });

  it('is not when something waits for it longer, at the first look', async () => {
    expect(await behindFor(11_000, START)).toEqual(['degraded', 'degraded']);
  });
});
