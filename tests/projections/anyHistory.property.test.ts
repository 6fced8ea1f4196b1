import fc from 'fast-check';
import { families, type DomainEvent } from '../../src/events/catalog.js';
import type { EventDefinition } from '../../src/events/definition.js';
import { StoreUnavailable } from '../../src/events/eventStore.js';
import { projections } from '../../src/projections/registry.js';
import { anyEventOf } from '../spec/anyEvent.js';
import { collect } from '../support/logEvents.js';
import { eventId, foldedBy, inOrderOfKeys, newEvent, once, streamOf } from './documents.js';
import { allOf, backends, run, until, type Stores } from './running.js';

const definitions: readonly EventDefinition[] = Object.values(families).flat();

/** Often an event; now and then one that came before comes again. */
const history = fc.array(
  fc.record({
    event: anyEventOf(definitions),
    again: fc.option(fc.nat(10), { nil: undefined, freq: 8 }),
  }),
  { minLength: 1, maxLength: 40 },
);

const troubles = fc.record({
  /** How many events are in the log before the projections run. */
  before: fc.nat(40),
  batchSizes: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
  /** What happens at each of the first commits. */
  commits: fc.array(
    fc.constantFrom('fine', 'fine', 'fine', 'lost before', 'lost after', 'restart'),
    { maxLength: 12 },
  ),
});

type History = typeof history extends fc.Arbitrary<infer Value> ? Value : never;
type Troubles = typeof troubles extends fc.Arbitrary<infer Value> ? Value : never;

describe.each(backends)('any history, folded in %s', (_name, open, numRuns) => {
  it('comes to what a plain fold of it comes to, in whatever batches and after whatever crashes', async () => {
    await fc.assert(
      fc.asyncProperty(history, troubles, async (events, trouble) => {
        const stores = await open();
        try {
          await foldInTrouble(stores, events, trouble);
          const told = once(await collect(stores.log.readAll()));
          for (const projection of projections) {
            expect(await allOf(stores.reads, projection.collection.name)).toEqual(
              inOrderOfKeys(foldedBy(projection, told)),
            );
            expect(await stores.reads.parkedCount(projection.name)).toBe(0);
          }
        } finally {
          await stores.stop();
        }
      }),
      { numRuns },
    );
  }, 120_000);
});

/** Folds the history while it comes, by one process after the other. */
async function foldInTrouble(
  stores: Stores,
  events: History,
  { before, batchSizes, commits }: Troubles,
): Promise<void> {
  const fates = [...commits];
  let subscriptions = 0;
  const log = {
    ...stores.log,
    subscribe(options: Parameters<typeof stores.log.subscribe>[0]) {
      const batchSize = batchSizes[subscriptions % batchSizes.length] ?? 1;
      subscriptions += 1;
      return stores.log.subscribe({ ...options, batchSize });
    },
  };

  /** A process that a commit may bring down. */
  function aProcess() {
    const away = new StoreUnavailable('unreachable', 'away');
    const store = stores.store();
    let down = false;
    const running = run(stores, projections, {
      log,
      store: {
        ...store,
        async commit(batch) {
          const fate = fates.shift();
          if (fate === 'lost before') throw away;
          await store.commit(batch);
          if (fate === 'lost after') throw away;
          if (fate !== 'restart') return;
          down = true;
          void running.stop();
        },
      },
    });
    return { running, doneOrDown: () => until(() => down || isThere(stores)), isUp: () => !down };
  }

  let told = Math.min(before, events.length);
  await append(stores, events, 0, told);
  for (;;) {
    const { running, doneOrDown, isUp } = aProcess();
    await doneOrDown();
    await append(stores, events, told, events.length);
    told = events.length;
    await doneOrDown();
    await running.stop();
    if (isUp()) return;
  }
}

async function isThere({ log, reads }: Stores): Promise<boolean> {
  const head = await log.head();
  const reached = await Promise.all(projections.map(({ name }) => reads.checkpoint(name)));
  return reached.every((position) => position >= head);
}

async function append({ log }: Stores, events: History, from: number, to: number): Promise<void> {
  for (const [offset, { event, again }] of events.slice(from, to).entries()) {
    const index = from + offset;
    const earlier = again === undefined ? undefined : events[index - again - 1]?.event;
    const told: DomainEvent = earlier ?? event;
    const id = eventId(earlier === undefined ? index : index - (again ?? 0) - 1);
    // A stream of its own for each, where a store finds no repeat: the projections have to.
    const stream = earlier === undefined ? streamOf(told) : `${streamOf(told)}-again-${index}`;
    await log.append(stream, [newEvent(told, index, { id })], 'any');
  }
}
