import fc from 'fast-check';
import { usageHours } from '../../src/projections/usage.js';
import { id, logged } from '../spec/things.js';
import { collect } from '../support/logEvents.js';
import { foldedBy, inOrderOfKeys, newEvent, once, streamOf } from './documents.js';
import { drivenClock, type DrivenClock } from './drivenClock.js';
import { startProcess, type Process } from './processes.js';
import { allOf, backends, tally, until, type Stores } from './running.js';

const DEVICES = Array.from({ length: 5 }, (_, index) => id(100 + index));
const PROJECTIONS = [tally(), usageHours];

/** What comes and what happens to processes, which are told by number, among those that there are. */
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('say' as const), lines: lines() }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('start' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom('kill' as const, 'stop' as const, 'pause' as const, 'resume' as const),
      which: fc.nat(4),
    }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('pass' as const), ms: fc.nat(8_000) }) },
);

function lines() {
  return fc.array(
    fc.record({
      deviceId: fc.constantFrom(...DEVICES),
      event: fc.constantFrom('a', 'b', 'gone'),
    }),
    { minLength: 1, maxLength: 6 },
  );
}

/** A time in which the number of shards is one. */
const era = fc.record({
  shards: fc.integer({ min: 1, max: 4 }),
  happenings: fc.array(happening, { maxLength: 12 }),
});

type Era = typeof era extends fc.Arbitrary<infer Value> ? Value : never;

describe.each(backends)(
  'any history, folded in %s by processes that come and go,',
  (_name, open, numRuns) => {
    it('comes to what a clean replay of it comes to, in whatever shards', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(era, { minLength: 1, maxLength: 3 }), async (eras) => {
          const clock = drivenClock();
          const stores = await open(() => clock.now());
          try {
            await live(stores, clock, eras);
            const told = once(await collect(stores.log.readAll()));
            for (const projection of PROJECTIONS) {
              expect(await allOf(stores.reads, projection.collection.name)).toEqual(
                inOrderOfKeys(foldedBy(projection, told)),
              );
            }
          } finally {
            await stores.stop();
          }
        }),
        { numRuns },
      );
    }, 120_000);
  },
);

async function live(stores: Stores, clock: DrivenClock, eras: readonly Era[]): Promise<void> {
  let told = 0;
  for (const [index, { shards, happenings }] of eras.entries()) {
    let processes: Process[] = [];
    const start = () => processes.push(startProcess(stores, PROJECTIONS, clock, { shards }));
    start();
    for (const one of happenings) {
      if (one.does === 'start') start();
      else if (one.does === 'pass') await clock.pass(one.ms);
      else if (one.does === 'say') {
        for (const line of one.lines) {
          told += 1;
          const event = logged(told, line);
          await stores.log.append(streamOf(event), [newEvent(event, told)], 'any');
        }
      } else {
        const chosen = processes[one.which % Math.max(1, processes.length)];
        if (one.does === 'pause' || one.does === 'resume') chosen?.[one.does]();
        else {
          processes = processes.filter((each) => each !== chosen);
          chosen?.resume();
          await chosen?.[one.does]();
        }
      }
    }
    for (const each of processes) each.resume();
    if (index < eras.length - 1) {
      // Wherever each of them is: the next number of shards begins at the least.
      await Promise.all(processes.map((each) => each.kill()));
      continue;
    }
    start();
    await caughtUp(stores, clock, processes, shards);
    await Promise.all(processes.map((each) => each.stop()));
  }
}

async function caughtUp(
  { log, reads }: Stores,
  clock: DrivenClock,
  processes: readonly Process[],
  shards: number,
): Promise<void> {
  const all = PROJECTIONS.length * shards;
  const owned = () => new Set(processes.flatMap((one) => one.owns())).size;
  await clock.passUntil(() => owned() === all, 60_000);
  const head = await log.head();
  const areThere = async () => {
    const reached = await Promise.all(PROJECTIONS.map(({ name }) => reads.checkpoint(name)));
    return reached.every((position) => position >= head);
  };
  // Those that went on after a pause may still believe in what they had: their first commit tells.
  await clock.passUntil(areThere, 600_000);
  await until(areThere);
}
