import type { Batch } from '../../src/events/eventStore.js';
import { START, type Position, type RecordedEvent } from '../../src/events/envelope.js';
import { bytesAtHand, gathered, type Gathered } from '../../src/projections/gather.js';
import { projection, type AnyProjection } from '../../src/projections/projection.js';
import { repeatsBefore } from '../../src/projections/repeats.js';
import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { logged } from '../spec/things.js';
import { collect } from '../support/logEvents.js';
import { newEvent } from './documents.js';

const PAGE = 100;

/** So many pages of log lines that each say `message`, the last of them the end of the log. */
async function* pages(many: number, message: string): AsyncGenerator<Batch> {
  for (let page = 1; page <= many; page++) {
    const events = Array.from({ length: PAGE }, (_, nth): RecordedEvent => {
      const number = page * PAGE + nth;
      const event = newEvent(logged(number, { message }), number);
      return {
        ...event,
        stream: 'telemetry',
        revision: number,
        position: BigInt(number) as Position,
      };
    });
    yield { events, position: BigInt(page) as Position, caughtUp: page === many };
  }
}

const looking = (largest?: number): AnyProjection =>
  projection({
    name: 'looking',
    version: 1,
    collection: { name: 'looking', indexes: [] },
    ...(largest !== undefined && { largest }),
    on: { LogRecorded: { key: () => 'all', fold: (doc) => doc } },
  });

async function gather(message: string, projections: readonly AnyProjection[]) {
  const repeats = await repeatsBefore(openMemoryEventStore(), START, []);
  const all = gathered(pages(10, message), repeats, bytesAtHand(projections), () => 0);
  return collect<Gathered>(all);
}

const sizes = (batches: readonly Gathered[]) => batches.map(({ incoming }) => incoming.length);

describe('events that are folded together', () => {
  it('are as many as there are, while they are small', async () => {
    const batches = await gather('small', [looking(), looking(1_000)]);
    expect(sizes(batches)).toEqual([10 * PAGE]);
    expect(batches[0]?.caughtUp).toBe(true);
  });

  it('are fewer where they take much memory', async () => {
    expect(sizes(await gather('x'.repeat(100_000), [looking()]))).toEqual([400, 400, 200]);
  });

  it('are fewer where what they change takes much memory', async () => {
    const batches = await gather('small', [looking(), looking(100_000), looking(80_000)]);
    expect(sizes(batches)).toEqual([200, 200, 200, 200, 200]);
    for (const { bytes } of batches) expect(bytes).toBeGreaterThan(200 * 180_000);
  });
});
