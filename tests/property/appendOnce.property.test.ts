import fc from 'fast-check';
import { createMemoryLog, openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import {
  onceAppender,
  type AppendOnce,
  type OnceLimits,
} from '../../src/commands/telemetry/appendOnce.js';
import type { Decided } from '../../src/commands/telemetry/decided.js';
import type { EventStore } from '../../src/events/eventStore.js';
import { telemetryStream } from '../../src/events/streams.js';
import { heartbeat, id } from '../spec/things.js';
import { collect, someEvents } from '../support/logEvents.js';

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 2, 1, 12);
const DEVICES = [id(101), id(102)];

/** Small, so that what is remembered is soon too little, too old or let go of. */
const LIMITS: OnceLimits = { window: 6, ids: 8, devices: 1, newer: 4 };

/** A report of its sender's own id: every second id looks like the one before it where only its last digits are kept. */
interface Named {
  readonly key: number;
  readonly content: string;
}

const idOf = ({ key }: Named) =>
  `00000000-0000-5000-8000-${String(key % 2).padStart(4, '0')}${String(key >> 1).padStart(8, '0')}`;

const decided = (named: Named): Decided => ({
  event: heartbeat(START),
  id: idOf(named),
  origin: {
    actor: { kind: 'device', id: DEVICES[0] ?? '' },
    commandId: idOf(named),
    commandHash: named.content,
  },
});

const named = (keys: number) =>
  fc.record<Named>({ key: fc.nat(keys), content: fc.constantFrom('a', 'a', 'a', 'b') });

const device = fc.constantFrom(0, 0, 0, 1);
/** Hours that one process's clock is apart from the other's. */
const late = fc.constantFrom(0, 0, 0, 0, 0, 0, -14, 14);

interface Reported {
  readonly kind: 'named';
  readonly device: number;
  readonly process: number;
  readonly late: number;
  readonly reports: readonly Named[];
}

interface Plain {
  readonly kind: 'plain';
  readonly device: number;
  readonly late: number;
  readonly many: number;
}

interface Later {
  readonly kind: 'later';
  readonly hours: number;
}

const reported = fc.record<Reported>({
  kind: fc.constant('named'),
  device,
  process: fc.nat(1),
  late,
  reports: fc.array(named(11), { minLength: 1, maxLength: 4 }),
});
const plain = fc.record<Plain>({
  kind: fc.constant('plain'),
  device,
  late,
  many: fc.integer({ min: 1, max: 4 }),
});
const later = fc.record<Later>({
  kind: fc.constant('later'),
  hours: fc.constantFrom(1, 2, 3, 12, 30),
});
const steps = fc.array(fc.oneof({ weight: 4, arbitrary: reported }, plain, later), {
  maxLength: 60,
});

describe('telemetry under ids of its sender’s', () => {
  it('is answered as if nothing were remembered of it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const [store, twin] = [openMemoryEventStore(), openMemoryEventStore()];
        const processes = [onceAppender(store, LIMITS), onceAppender(store, LIMITS)];
        let now = START;
        for (const step of history) {
          if (step.kind === 'later') {
            now += step.hours * HOUR_MS;
            continue;
          }
          const deviceId = DEVICES[step.device] ?? '';
          const then = now + step.late * HOUR_MS;
          if (step.kind === 'plain') {
            const events = someEvents(step.many);
            const stream = telemetryStream(deviceId, then);
            await store.append(stream, events, 'any');
            await twin.append(stream, events, 'any');
            continue;
          }
          const reports = step.reports.map(decided);
          const answers = await processes[step.process]?.(deviceId, reports, then);
          const forgetful: AppendOnce = onceAppender(twin, LIMITS);
          expect(answers).toEqual(await forgetful(deviceId, reports, then));
        }
        expect(await collect(store.readAll())).toEqual(await collect(twin.readAll()));
      }),
      { numRuns: 500 },
    );
  });

  it('stands once when it comes many times at once, to two processes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            hours: fc.nat(4),
            calls: fc.array(
              fc.record({
                process: fc.nat(1),
                reports: fc.array(named(9), { minLength: 1, maxLength: 3 }),
              }),
              { minLength: 1, maxLength: 6 },
            ),
          }),
          { maxLength: 8 },
        ),
        async (rounds) => {
          const log = createMemoryLog();
          const stores = [slow(openMemoryEventStore({ log })), slow(openMemoryEventStore({ log }))];
          const limits = { ...LIMITS, window: 100, ids: 6 };
          const processes = stores.map((store) => onceAppender(store, limits));
          let now = START;
          for (const { hours, calls } of rounds) {
            now += hours * HOUR_MS;
            await Promise.all(
              calls.map(async ({ process, reports }) =>
                processes[process]?.(DEVICES[0] ?? '', reports.map(decided), now),
              ),
            );
          }
          const ids = log.all.map((event) => event.id);
          expect(ids).toHaveLength(new Set(ids).size);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** A log that answers some turns later, so that calls overtake each other. */
function slow(store: EventStore): EventStore {
  let asked = 0;
  const wait = async () => {
    for (let turns = (asked += 7) % 4; turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return {
    ...store,
    async append(...append) {
      await wait();
      return store.append(...append).finally(wait);
    },
    async *read(...read) {
      await wait();
      for await (const event of store.read(...read)) {
        yield event;
        await wait();
      }
    },
  };
}
