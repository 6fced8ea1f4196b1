import fc from 'fast-check';
import type { Family } from '../../src/commands/decider.js';
import { hotFamily } from '../../src/commands/hotFamily.js';
import type { Loaded } from '../../src/commands/loaded.js';
import type { Position, RecordedEvent } from '../../src/events/envelope.js';
import type { EventStore } from '../../src/events/eventStore.js';
import { ACME, PUMP } from './things.js';

/** All names that a thing has had: two folds that differ in one event differ. */
const names: Family<readonly string[]> = {
  name: 'device',
  initial: [],
  evolve: (state, event) =>
    event.type === 'DeviceDetailsChanged' ? [...state, event.data.name ?? ''] : state,
};

const FIRST = 'device-1';
const SECOND = 'device-2';

/** A log whose reads stop before each event until they are let go on. */
function aLog() {
  const events: RecordedEvent[] = [];
  const waiting: (() => void)[] = [];
  const streamOf = (stream: string) => events.filter((event) => event.stream === stream);

  const store = {
    async *read(stream: string, { from = 0, limit = Infinity } = {}) {
      for (let revision = from; revision - from < limit; revision += 1) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        const event = streamOf(stream)[revision];
        if (event === undefined) return;
        yield event;
      }
    },
  } as unknown as EventStore;

  return {
    store,
    events,
    streamOf,
    head: (stream: string) => streamOf(stream).length - 1,
    write(stream: string): RecordedEvent {
      const event: RecordedEvent = {
        id: `event ${events.length}`,
        stream,
        revision: streamOf(stream).length,
        position: BigInt(events.length + 1) as Position,
        type: 'DeviceDetailsChanged',
        time: 0,
        data: { deviceId: PUMP, organizationId: ACME, name: `name ${events.length}` },
        metadata: { actor: { kind: 'anonymous' }, commandId: 'command' },
      };
      events.push(event);
      return event;
    },
    /** Lets the nth of the waiting reads look at one more event. */
    async step(nth = 0) {
      const [next] = waiting.splice(nth % Math.max(1, waiting.length), 1);
      next?.();
      await settled();
    },
    async finish() {
      while (waiting.length > 0) await this.step();
    },
    /** What a plain replay up to a revision gives. */
    replayed: (stream: string, revision: number) =>
      streamOf(stream)
        .slice(0, revision + 1)
        .map(({ data }) => (data as { name: string }).name),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('hot states', () => {
  it('are read once, however many ask at once', async () => {
    const log = aLog();
    log.write(FIRST);
    const hot = hotFamily(log.store, names, 10);
    const loads = [hot.load(FIRST), hot.load(FIRST)];
    await log.finish();
    const [one, other] = await Promise.all(loads);
    expect(one).toBe(other);
    expect(hot.peek(FIRST)).toBe(one);
  });

  it('are read on from what is known of them, when they are read again', async () => {
    const log = aLog();
    for (let n = 0; n < 5; n += 1) log.write(FIRST);
    const hot = hotFamily(log.store, names, 10);
    const load = hot.load(FIRST);
    await log.finish();
    await load;
    log.write(FIRST);
    const again = hot.reload(FIRST);
    // One event, and the end.
    await log.step();
    await log.step();
    expect(await again).toMatchObject({ revision: 5, state: log.replayed(FIRST, 5) });
    expect(hot.peek(FIRST)).toBe(await again);
  });

  it('follow what is observed', async () => {
    const log = aLog();
    log.write(FIRST);
    const hot = hotFamily(log.store, names, 10);
    const load = hot.load(FIRST);
    await log.finish();
    await load;
    hot.observe(log.write(FIRST));
    expect(hot.peek(FIRST)).toMatchObject({ revision: 1, state: ['name 0', 'name 1'] });
  });

  it('take an event that comes twice once', async () => {
    const log = aLog();
    const event = log.write(FIRST);
    const hot = hotFamily(log.store, names, 10);
    const load = hot.load(FIRST);
    await log.finish();
    await load;
    hot.observe(event);
    expect(hot.peek(FIRST)).toMatchObject({ revision: 0, state: ['name 0'] });
  });

  it('do not keep what was being read when something came by', async () => {
    const log = aLog();
    log.write(FIRST);
    const hot = hotFamily(log.store, names, 10);
    const load = hot.load(FIRST);
    await log.step();
    hot.observe(log.write(FIRST));
    await log.finish();
    expect(await load).toMatchObject({ revision: 1 });
    expect(hot.peek(FIRST)).toBeUndefined();
  });

  it('are forgotten where an event is missing in between', async () => {
    const log = aLog();
    log.write(FIRST);
    const hot = hotFamily(log.store, names, 10);
    const load = hot.load(FIRST);
    await log.finish();
    await load;
    log.write(FIRST);
    hot.observe(log.write(FIRST));
    expect(hot.peek(FIRST)).toBeUndefined();
    const again = hot.load(FIRST);
    await log.finish();
    expect(await again).toMatchObject({ revision: 2, state: ['name 0', 'name 1', 'name 2'] });
  });

  it('do not remember that something was not there', async () => {
    const log = aLog();
    const hot = hotFamily(log.store, names, 10);
    const load = hot.load(FIRST);
    await log.finish();
    expect(await load).toMatchObject({ revision: -1, state: [] });
    expect(hot.peek(FIRST)).toBeUndefined();
  });

  it('go, oldest first, when there are too many', async () => {
    const log = aLog();
    log.write(FIRST);
    log.write(SECOND);
    const hot = hotFamily(log.store, names, 1);
    for (const stream of [FIRST, SECOND]) {
      const load = hot.load(stream);
      await log.finish();
      await load;
    }
    expect(hot.peek(FIRST)).toBeUndefined();
    expect(hot.peek(SECOND)).toBeDefined();
  });

  it('tell how things were at a revision', async () => {
    const log = aLog();
    for (let index = 0; index < 3; index += 1) log.write(FIRST);
    const then = hotFamily(log.store, names, 10).at(FIRST, 1);
    await log.finish();
    expect(await then).toMatchObject({ revision: 1, state: ['name 0', 'name 1'] });
  });

  const stream = fc.constantFrom(FIRST, SECOND);
  const happenings = fc.array(
    fc.oneof(
      // Another process writes; this one hears of it later, by its subscription.
      fc.record({ kind: fc.constant('write' as const), stream }),
      // This process writes, and takes it in at once; its subscription tells it again.
      fc.record({ kind: fc.constant('write here' as const), stream }),
      fc.record({ kind: fc.constant('deliver' as const) }),
      fc.record({ kind: fc.constant('load' as const), stream }),
      fc.record({ kind: fc.constant('reload' as const), stream }),
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('step' as const), nth: fc.nat(5) }) },
      // The subscription was lost: it begins again at the log's end.
      fc.record({ kind: fc.constant('gap' as const) }),
    ),
    { maxLength: 60 },
  );

  it('are those of a plain replay, whatever overtakes what', async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (steps) => {
        const log = aLog();
        const hot = hotFamily(log.store, names, 10);
        const loads: Promise<unknown>[] = [];
        let delivered = 0;
        const expectAtLeast = (name: string, least: number, load: Promise<Loaded<unknown>>) =>
          loads.push(
            load.then(({ state, revision }) => {
              expect(revision).toBeGreaterThanOrEqual(least);
              expect(state).toEqual(log.replayed(name, revision));
            }),
          );

        for (const step of steps) {
          switch (step.kind) {
            case 'write':
              log.write(step.stream);
              break;
            case 'write here': {
              const { revision, position } = log.write(step.stream);
              const state = log.replayed(step.stream, revision);
              hot.keep(step.stream, { state, revision, position, answered: [] });
              break;
            }
            case 'deliver': {
              const event = log.events[delivered];
              if (event !== undefined) hot.observe(event);
              delivered = Math.min(delivered + 1, log.events.length);
              break;
            }
            case 'load': {
              const heard = log.events.slice(0, delivered);
              const least = heard.filter((event) => event.stream === step.stream).length - 1;
              expectAtLeast(step.stream, least, hot.load(step.stream));
              break;
            }
            case 'reload':
              expectAtLeast(step.stream, log.head(step.stream), hot.reload(step.stream));
              break;
            case 'step':
              await log.step(step.nth);
              break;
            case 'gap':
              delivered = log.events.length;
              hot.clear();
          }
        }

        for (const event of log.events.slice(delivered)) hot.observe(event);
        await log.finish();
        await Promise.all(loads);
        for (const name of [FIRST, SECOND]) {
          const load = hot.load(name);
          await log.finish();
          const { state, revision } = await load;
          expect(revision).toBe(log.head(name));
          expect(state).toEqual(log.replayed(name, revision));
        }
      }),
      { numRuns: 300 },
    );
  });
});
