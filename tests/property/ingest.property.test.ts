import fc from 'fast-check';
import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { systemRuntime as runtime } from '../../src/adapters/system/runtime.js';
import { accessCheck } from '../../src/api/access.js';
import type { Answer, Call } from '../../src/api/route.js';
import { ingestRoutes } from '../../src/api/routes/ingest.js';
import { device } from '../../src/commands/device/state.js';
import { handler } from '../../src/commands/handle.js';
import { hotFamily } from '../../src/commands/hotFamily.js';
import type { States } from '../../src/commands/states.js';
import { plainReporter } from '../../src/commands/telemetry/reportPlain.js';
import { reporter } from '../../src/commands/telemetry/report.js';
import { StoreUnavailable, type EventStore } from '../../src/events/eventStore.js';
import { deviceStream, telemetryStream } from '../../src/events/streams.js';
import { collect } from '../support/logEvents.js';
import { ADA, id, registering } from '../spec/things.js';

const DEVICES = [id(101), id(102), id(103)];

interface LineOf {
  readonly device: number;
  readonly status: 'active' | 'maintenance' | undefined;
  readonly named: boolean;
}

const line = fc.record<LineOf>({
  device: fc.nat(DEVICES.length - 1),
  status: fc.option(fc.constantFrom('active', 'maintenance'), { nil: undefined, freq: 20 }),
  named: fc.boolean(),
});

/**
 * How many turns of the event loop a call of the store takes, whether it then fails, and whether what is
 * in memory of devices is gone meanwhile, as it may be where there are many.
 */
const moods = fc.infiniteStream(
  fc.record<Mood>({
    wait: fc.nat(4),
    fails: fc.integer({ min: 1, max: 40 }).map((n) => n === 1),
    forgets: fc.integer({ min: 1, max: 5 }).map((n) => n === 1),
  }),
);

async function turns(many: number): Promise<void> {
  for (let turn = 0; turn < many; turn++) await new Promise((resolve) => setImmediate(resolve));
}

interface Mood {
  readonly wait: number;
  readonly fails: boolean;
  readonly forgets: boolean;
}

/** A log that takes its time, answers appends in their order, and at times is away. */
function moody(memory: EventStore, next: () => Mood): EventStore {
  let last = Promise.resolve();
  const inOrder = <Result>(result: Promise<Result>, wait: number) => {
    last = last.then(() => turns(wait));
    return last.then(() => result);
  };
  const away = () => new StoreUnavailable('unreachable', 'away');
  return {
    ...memory,
    append: (...append) => {
      const { wait, fails } = next();
      const done = fails ? Promise.reject(away()) : memory.append(...append);
      done.catch(() => undefined);
      return inOrder(done, wait);
    },
    appendEach: (appends) => {
      const { wait, fails } = next();
      return inOrder(fails ? Promise.resolve(appends.map(away)) : memory.appendEach(appends), wait);
    },
    async *read(...read) {
      const { wait, fails } = next();
      await turns(wait);
      if (fails) throw away();
      yield* memory.read(...read);
    },
  };
}

interface Results {
  readonly results: readonly { line: number; status: number; code?: string; eventId?: string }[];
}

async function ingest(lines: readonly LineOf[], memory: EventStore, next: () => Mood) {
  const store = moody(memory, () => {
    const mood = next();
    if (mood.forgets) devices.clear();
    return mood;
  });
  const devices = hotFamily(store, device, 100);
  const reporting = { store, runtime, devices, handle: handler({ store, runtime }) };
  const given = { ...reporting, offlineAfterMs: 90_000 };
  const [route] = ingestRoutes({
    runtime,
    report: reporter(given),
    reportPlain: plainReporter(given),
    access: accessCheck({ devices } as unknown as States),
    hashSecret: 'x',
  } as unknown as Parameters<typeof ingestRoutes>[0]);
  const bodies = lines.map(({ device: nth, status, named }, value) => ({
    kind: 'heartbeat',
    deviceId: DEVICES[nth],
    metrics: { value },
    ...(status !== undefined && { status }),
    ...(named && { id: `line ${value}` }),
  }));
  const call = {
    body: { length: lines.length, at: (nth: number) => ({ value: bodies[nth] }) },
    caller: { kind: 'user', role: 'admin', userId: ADA, sessionId: id(9) },
    origin: () => ({ actor: { kind: 'user', id: ADA }, commandId: id(77) }),
  } as unknown as Call<never, never, never, never>;
  const answer = (await route?.handle(call)) as Answer & { readonly body: Results };
  return answer.body.results;
}

async function registered(memory: EventStore): Promise<void> {
  const handle = handler({ store: memory, runtime });
  for (const deviceId of DEVICES) {
    await handle({
      stream: deviceStream(deviceId),
      family: hotFamily(memory, device, 10),
      decide: registering(deviceId),
      origin: { actor: { kind: 'user', id: ADA }, commandId: runtime.uuid() },
    });
  }
}

const valueOf = ({ data }: { readonly data: unknown }) =>
  (data as { metrics: { value: number } }).metrics.value;

describe('a batch, however the log answers', () => {
  it('gives each line its own result, and each device’s unnamed lines in their order', async () => {
    const batches = fc.array(line, { minLength: 1, maxLength: 700, size: 'max' });
    await fc.assert(
      fc.asyncProperty(batches, fc.boolean(), moods, async (batch, withNamed, mood) => {
        const lines = withNamed ? batch : batch.map((one) => ({ ...one, named: false }));
        const memory = openMemoryEventStore();
        await registered(memory);
        const next = () => (mood.next() as IteratorYieldResult<Mood>).value;
        const results = await ingest(lines, memory, next);

        const stored = (
          await Promise.all(
            DEVICES.map((one) => collect(memory.read(telemetryStream(one, runtime.now())))),
          )
        ).map((events) => events.filter((event) => lines[valueOf(event)]?.named === false));
        for (const events of stored) {
          const values = events.map(valueOf);
          expect(values).toEqual([...values].sort((a, b) => a - b));
        }
        const valueById = new Map(stored.flat().map((event) => [event.id, valueOf(event)]));
        expect(results.map(({ line: number }) => number)).toEqual(lines.map((_, nth) => nth + 1));
        results.forEach(({ status, code, eventId }, nth) => {
          if (status !== 200) expect(code).toBe('STORE_UNAVAILABLE');
          else if (lines[nth]?.named === false) expect(valueById.get(eventId ?? '')).toBe(nth);
        });
      }),
      { numRuns: 200 },
    );
  });
});
