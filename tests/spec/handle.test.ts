import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { deleteDevice, restoreDevice } from '../../src/commands/device/deleteDevice.js';
import { device, type DeviceState } from '../../src/commands/device/state.js';
import { updateDevice } from '../../src/commands/device/updateDevice.js';
import { handler } from '../../src/commands/handle.js';
import { hotFamily } from '../../src/commands/hotFamily.js';
import { ANSWERED_KEPT } from '../../src/commands/loaded.js';
import { eventId, namedCommandId, type Origin } from '../../src/commands/origin.js';
import { isRefusal } from '../../src/commands/refusal.js';
import {
  StoreUnavailable,
  WrongRevision,
  type EventStore,
  type Expected,
} from '../../src/events/eventStore.js';
import { deviceStream } from '../../src/events/streams.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';
import { collect } from '../support/logEvents.js';
import { ADA, id, PUMP, registering } from './things.js';

const stream = deviceStream(PUMP);
let commands = 0;

/** A command that nobody has sent before. */
const fresh = (): Origin => ({ actor: { kind: 'user', id: ADA }, commandId: id((commands += 1)) });
/** A command under a key of its caller's, saying `content`. */
const named = (key: string, content = 'content'): Origin => ({
  actor: { kind: 'user', id: ADA },
  commandId: namedCommandId(ADA, key),
  commandHash: content,
});

/** A process: a handler with hot states of its own on a store that others may share. */
function aProcess(store: EventStore, keptStates = 10) {
  const devices = hotFamily(store, device, keptStates);
  const handle = handler({ store, runtime: hurriedRuntime() });
  const run = (
    decide: (state: DeviceState) => ReturnType<typeof updateDevice>,
    origin = fresh(),
    more: { stream?: string; ifRevision?: number } = {},
  ) => handle({ stream, family: devices, decide, origin, ...more });
  return {
    devices,
    run,
    register: (deviceId = PUMP) =>
      run(registering(deviceId), fresh(), { stream: deviceStream(deviceId) }),
    rename: (name: string, origin?: Origin, ifRevision?: number) =>
      run(
        (state) => updateDevice(state, { name }),
        origin,
        ifRevision === undefined ? {} : { ifRevision },
      ),
  };
}

/** A store on which `before` runs ahead of each append. */
function interrupted(
  store: EventStore,
  before: (expected: Expected, attempt: number) => Promise<unknown>,
): EventStore {
  let attempt = 0;
  return {
    ...store,
    async append(name, events, expected) {
      await before(expected, (attempt += 1));
      return store.append(name, events, expected);
    },
  };
}

const named1 = named('key-1');
const nameOf = (state: DeviceState) => (state.kind === 'none' ? undefined : state.name);

describe('a command', () => {
  it('is appended with its origin, and ids that follow from it', async () => {
    const store = openMemoryEventStore();
    const { run, register } = aProcess(store);
    await register();
    const origin = { ...named('key-1'), requestId: 'request' };
    const decide = (state: DeviceState) => updateDevice(state, { name: 'x', status: 'inactive' });
    const handled = await run(decide, origin);
    const [, first, second] = await collect(store.read(stream));
    expect(first).toMatchObject({ type: 'DeviceDetailsChanged', id: eventId(origin.commandId, 0) });
    expect(second).toMatchObject({ type: 'DeviceStatusChanged', id: eventId(origin.commandId, 1) });
    expect(first?.metadata).toEqual(origin);
    expect(handled).toMatchObject({ revision: 2, position: second?.position, repeated: false });
  });

  it('that comes to nothing appends nothing', async () => {
    const store = openMemoryEventStore();
    const { register, rename } = aProcess(store);
    const registered = await register();
    expect(await rename('Pump')).toEqual(registered);
    expect(await collect(store.read(stream))).toHaveLength(1);
  });

  it('that is refused appends nothing', async () => {
    const store = openMemoryEventStore();
    const { rename } = aProcess(store);
    expect(await rename('x')).toEqual({ refused: 'DEVICE_NOT_FOUND' });
    expect(await store.head()).toBe(0n);
  });

  it('that the store can’t take throws, and changes nothing in memory', async () => {
    const store = openMemoryEventStore();
    const full = new StoreUnavailable('full', 'the disk is full');
    let room = true;
    const { devices, register, rename } = aProcess(
      interrupted(store, () => (room ? Promise.resolve() : Promise.reject(full))),
    );
    await register();
    room = false;
    await expect(rename('x')).rejects.toBe(full);
    expect(nameOf((await devices.load(stream)).state)).toBe('Pump');
    room = true;
    expect(await rename('x')).toMatchObject({ revision: 1 });
  });

  it('whose answer was lost is answered when it is sent again, and stands once', async () => {
    const store = openMemoryEventStore();
    await aProcess(store).register();
    let lost = true;
    const forgetful: EventStore = {
      ...store,
      async append(...append) {
        const answer = await store.append(...append);
        if (lost) throw new StoreUnavailable('unreachable', 'the answer is lost');
        return answer;
      },
    };
    const { rename } = aProcess(forgetful);
    const origin = fresh();
    await expect(rename('x', origin)).rejects.toThrow(StoreUnavailable);
    lost = false;
    expect(await rename('x', origin)).toMatchObject({ revision: 1, state: { name: 'x' } });
    expect(await collect(store.read(stream))).toHaveLength(2);
  });
});

describe('commands that race', () => {
  it('are decided again on what the other did', async () => {
    const store = openMemoryEventStore();
    const other = aProcess(store);
    await other.register();
    const { run } = aProcess(
      interrupted(store, async (_expected, attempt) => {
        if (attempt === 1) await other.run(deleteDevice);
      }),
    );
    expect(await run((state) => updateDevice(state, { name: 'x' }))).toEqual({
      refused: 'DEVICE_DELETED',
    });
  });

  it('of 100 writers leave one event a revision, and each knows its own', async () => {
    const { written, refused, stored } = await race(100);
    expect(refused).toEqual([]);
    expect(stored.map(({ revision }) => revision)).toEqual([...Array(101).keys()]);
    expect(written).toEqual(stored.slice(1));
  });

  /** So many writers at once on one stream, in two processes. */
  async function race(count: number) {
    const store = openMemoryEventStore();
    const [here, there] = [aProcess(store), aProcess(store)];
    await here.register();
    const outcomes = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        (index % 2 === 0 ? here : there).rename(`writer ${index}`),
      ),
    );
    const events = await collect(store.read(stream));
    return {
      refused: outcomes.flatMap((outcome) => (isRefusal(outcome) ? [outcome.refused] : [])),
      /** What each writer was told to have written, in order. */
      written: outcomes
        .flatMap((outcome) => (isRefusal(outcome) ? [] : [outcome]))
        .map(({ revision, state }) => ({ revision, name: nameOf(state) }))
        .sort((a, b) => a.revision - b.revision),
      stored: events.map(({ revision, data }) => ({
        revision,
        name: (data as { name: string }).name,
      })),
    };
  }

  it('are given up when somebody else is always faster', async () => {
    const store = openMemoryEventStore();
    let attempts = 0;
    const { register, rename } = aProcess(
      interrupted(store, async (expected) => {
        if (expected === 'none') return;
        attempts += 1;
        throw new WrongRevision(stream, expected, undefined);
      }),
    );
    await register();
    expect(await rename('x')).toEqual({ refused: 'TOO_MUCH_CONTENTION' });
    expect(attempts).toBeGreaterThan(10);
  });
});

describe('a process that has not heard yet of what another wrote', () => {
  async function twoProcesses() {
    const store = openMemoryEventStore();
    const [here, there] = [aProcess(store), aProcess(store)];
    await here.register();
    return { store, here, there };
  }

  it('does not take a change for one that is there already', async () => {
    // It answered "Pump" for done, as its own state said, and left the other's name standing.
    const { store, here, there } = await twoProcesses();
    await there.rename('Theirs');
    expect(await here.rename('Pump')).toMatchObject({ revision: 2, state: { name: 'Pump' } });
    expect(await collect(store.read(stream))).toHaveLength(3);
  });

  it('does not refuse what the other has made possible', async () => {
    const { here, there } = await twoProcesses();
    await here.run((state) => deleteDevice(state));
    await there.run((state) => restoreDevice(state));
    expect(await here.rename('Again')).toMatchObject({ revision: 3, state: { name: 'Again' } });
  });

  it('does not let a change pass for nothing under an If-Match that is overtaken', async () => {
    const { here, there } = await twoProcesses();
    await there.rename('Theirs');
    expect(await here.rename('Pump', fresh(), 0)).toEqual({ refused: 'REVISION_MISMATCH' });
  });
});

describe('a command with If-Match', () => {
  it('runs on the revision that it names', async () => {
    const { register, rename } = aProcess(openMemoryEventStore());
    await register();
    expect(await rename('x', fresh(), 0)).toMatchObject({ revision: 1 });
  });

  it('is refused on any other, without being appended', async () => {
    const store = openMemoryEventStore();
    const { register, rename } = aProcess(store);
    await register();
    for (const revision of [1, 7]) {
      expect(await rename('x', fresh(), revision)).toEqual({ refused: 'REVISION_MISMATCH' });
    }
    expect(await collect(store.read(stream))).toHaveLength(1);
  });

  it('is never tried again when somebody else comes first', async () => {
    const store = openMemoryEventStore();
    const other = aProcess(store);
    await other.register();
    let attempts = 0;
    const { rename } = aProcess(
      interrupted(store, async (_expected, attempt) => {
        attempts = attempt;
        if (attempt === 1) await other.rename('theirs');
      }),
    );
    expect(await rename('mine', fresh(), 0)).toEqual({ refused: 'REVISION_MISMATCH' });
    expect(attempts).toBe(1);
    expect(nameOf((await other.devices.load(stream)).state)).toBe('theirs');
  });

  it('runs on what another process wrote, though this one has not heard of it', async () => {
    const store = openMemoryEventStore();
    const [here, there] = [aProcess(store), aProcess(store)];
    await here.register();
    await there.rename('theirs');
    expect(await here.rename('mine', fresh(), 1)).toMatchObject({
      revision: 2,
      state: { name: 'mine' },
    });
  });
});

describe('a command under a key of its caller’s', () => {
  it('is answered as the first time, however the thing has changed since', async () => {
    const store = openMemoryEventStore();
    const { register, rename } = aProcess(store);
    await register();
    const first = await rename('first', named1);
    await rename('second');
    const again = await rename('first', named1);
    expect(again).toEqual({ ...first, repeated: true });
    expect(await collect(store.read(stream))).toHaveLength(3);
  });

  it('is answered so by a process that has forgotten the thing, or never knew it', async () => {
    const store = openMemoryEventStore();
    const forgetful = aProcess(store, 1);
    await forgetful.register();
    const first = await forgetful.rename('first', named1);
    await forgetful.register(id(999));
    await forgetful.devices.load(deviceStream(id(999)));
    expect(forgetful.devices.peek(stream)).toBeUndefined();
    expect(await forgetful.rename('first', named1)).toEqual({ ...first, repeated: true });
    expect(await aProcess(store).rename('first', named1)).toEqual({ ...first, repeated: true });
  });

  it('is answered so even where it would be refused by now', async () => {
    const { register, rename, run } = aProcess(openMemoryEventStore());
    await register();
    const first = await rename('first', named1);
    await run(deleteDevice);
    expect(await rename('first', named1)).toEqual({ ...first, repeated: true });
  });

  it('is answered so whatever If-Match it came with', async () => {
    const { register, rename } = aProcess(openMemoryEventStore());
    await register();
    const first = await rename('first', named1, 0);
    expect(await rename('first', named1, 0)).toEqual({ ...first, repeated: true });
  });

  it('is refused when it says something else under the same key', async () => {
    const store = openMemoryEventStore();
    const { register, rename } = aProcess(store);
    await register();
    await rename('first', named('key-1', 'first'));
    const other = named('key-1', 'second');
    expect(await rename('second', other)).toEqual({ refused: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await aProcess(store).rename('second', other)).toEqual({
      refused: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  it('runs once when it comes twice at once, to one process or to two', async () => {
    const store = openMemoryEventStore();
    const [here, there] = [aProcess(store), aProcess(store)];
    await here.register();
    const outcomes = await Promise.all([
      here.rename('first', named1),
      here.rename('first', named1),
      there.rename('first', named1),
    ]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ revision: 1, state: { name: 'first' } });
    }
    expect(await collect(store.read(stream))).toHaveLength(2);
  });

  it('is done by one of two that come at once and say different things', async () => {
    const store = openMemoryEventStore();
    const [here, there] = [aProcess(store), aProcess(store)];
    await here.register();
    await there.devices.load(stream);
    const [one, other] = await Promise.all([
      here.rename('one', named('key-1', 'one')),
      there.rename('other', named('key-1', 'other')),
    ]);
    expect(one).toMatchObject({ revision: 1, state: { name: 'one' } });
    expect(other).toEqual({ refused: 'IDEMPOTENCY_KEY_REUSED' });
    expect(nameOf((await there.devices.load(stream)).state)).toBe('one');
  });

  it('is told apart from the same caller’s command under another key', async () => {
    const { register, rename } = aProcess(openMemoryEventStore());
    await register();
    await rename('first', named('key-1'));
    await rename('second', named('key-2'));
    expect(await rename('first', named('key-3'))).toMatchObject({ revision: 3, repeated: false });
  });

  it(`is remembered behind ${ANSWERED_KEPT} later ones and no more`, async () => {
    const { register, rename } = aProcess(openMemoryEventStore());
    await register();
    await rename('first', named1);
    for (let later = 1; later < ANSWERED_KEPT; later += 1) {
      await rename(`name ${later}`, named(`later ${later}`));
    }
    expect(await rename('first', named1)).toMatchObject({ revision: 1, repeated: true });
    await rename('one more', named('one more'));
    expect(await rename('first', named1)).toMatchObject({ repeated: false });
  });
});
