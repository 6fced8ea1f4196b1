import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { START, type Position } from '../../src/events/envelope.js';
import type { ReadModels, Shard } from '../../src/projections/readModels.js';
import type { Signals } from '../../src/projections/signals.js';
import { consistency, type Consistency } from '../../src/queries/consistency.js';
import { manualRuntime, type ManualRuntime } from '../support/manualRuntime.js';

const at = (position: number) => BigInt(position) as Position;

describe('a read that needs a position', () => {
  let signals: Signals;
  let runtime: ManualRuntime;
  let checkpoint: Position;
  let looks: number;
  let reads: Consistency;

  beforeEach(() => {
    signals = createMemorySignals();
    runtime = manualRuntime();
    checkpoint = START;
    looks = 0;
    const models: Pick<ReadModels, 'checkpoint'> = {
      checkpoint: async () => {
        looks += 1;
        return checkpoint;
      },
    };
    reads = consistency({ head: async () => at(1_000), reads: models, signals, runtime });
  });
  afterEach(() => {
    reads.stop();
  });

  async function tell(position: number, shard: Shard) {
    signals.publish({
      kind: 'projected',
      projections: [{ name: 'devices', shard, from: START, tags: [] }],
      position: at(position),
    });
    await runtime.yield();
  }

  /** Asks, and says what has become of it whenever it is asked for. */
  function waiting(position: number) {
    const state: { answer: boolean | undefined } = { answer: undefined };
    void reads.reached(['devices'], at(position)).then((answer) => (state.answer = answer));
    return async () => {
      await runtime.yield();
      return state.answer;
    };
  }

  it('goes on when the projection says that it is there, without a look at the store', async () => {
    const answer = waiting(5);
    expect(await answer()).toBeUndefined();
    await tell(5, { index: 0, of: 1 });
    expect(await answer()).toBe(true);
    expect(looks).toBe(0);
  });

  it('goes on when the last of the shards says so, without a look at the store', async () => {
    const answer = waiting(5);
    await tell(9, { index: 1, of: 2 });
    expect(await answer()).toBeUndefined();
    await tell(4, { index: 0, of: 2 });
    expect(await answer()).toBeUndefined();
    await tell(6, { index: 0, of: 2 });
    expect(await answer()).toBe(true);
    expect(looks).toBe(0);
  });

  it('asks the shards anew when they have become others', async () => {
    await tell(5, { index: 0, of: 2 });
    const answer = waiting(5);
    await tell(5, { index: 1, of: 3 });
    await tell(5, { index: 2, of: 3 });
    expect(await answer()).toBeUndefined();
    await tell(5, { index: 0, of: 3 });
    expect(await answer()).toBe(true);
  });

  it('finds out from the store when the signal is lost', async () => {
    const answer = waiting(5);
    await runtime.yield();
    checkpoint = at(5);
    await runtime.advance(100);
    expect(await answer()).toBe(true);
  });

  it('is told at once of what the log does not have', async () => {
    const answer = waiting(1_001);
    await runtime.yield();
    expect(await answer()).toBe(false);
    expect(looks).toBe(0);
  });

  it('looks once for all who wait', async () => {
    const answers = Array.from({ length: 100 }, () => waiting(5));
    await runtime.yield();
    await runtime.advance(100);
    expect(looks).toBeLessThan(10);
    checkpoint = at(5);
    await runtime.advance(100);
    for (const answer of answers) expect(await answer()).toBe(true);
  });

  it('gives up after two seconds', async () => {
    const answer = waiting(5);
    await runtime.yield();
    await runtime.advance(1_900);
    expect(await answer()).toBeUndefined();
    await runtime.advance(200);
    expect(await answer()).toBe(false);
  });
});
