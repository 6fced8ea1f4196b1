import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { device } from '../../src/commands/device/state.js';
import { updateDevice, type UpdateDevice } from '../../src/commands/device/updateDevice.js';
import { handler } from '../../src/commands/handle.js';
import { hotFamily } from '../../src/commands/hotFamily.js';
import type { Telemetry } from '../../src/commands/telemetry/record.js';
import type { Report } from '../../src/commands/telemetry/decided.js';
import { reporter } from '../../src/commands/telemetry/report.js';
import { StoreUnavailable, type EventStore, type Expected } from '../../src/events/eventStore.js';
import type { DeviceStatus } from '../../src/events/values.js';
import { deviceStream, telemetryStream } from '../../src/events/streams.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';
import { collect } from '../support/logEvents.js';
import { id, PUMP, registering } from './things.js';

const OFFLINE_AFTER = 90_000;
let commands = 0;

const report = (telemetry: Telemetry, commandHash?: string): Report => ({
  telemetry,
  origin: {
    actor: { kind: 'device', id: PUMP },
    commandId: id(1_000 + (commands += 1)),
    ...(commandHash !== undefined && { commandHash }),
  },
  index: 0,
});
const beat = (given: object = {}): Telemetry => ({ kind: 'heartbeat', ...given });
const line: Telemetry = { kind: 'log', event: 'boot', level: 'info' };

describe('reports of a device', () => {
  const runtime = hurriedRuntime();
  const NOW = runtime.now();
  let store: EventStore;
  let expected: Expected[];
  /** Whether the devices' own streams take nothing. */
  let devicesAway: boolean;
  let setStatus: (status: DeviceStatus) => Promise<unknown>;
  let rename: (name: string) => Promise<unknown>;
  let send: (...reports: readonly Report[]) => ReturnType<ReturnType<typeof reporter>>;

  beforeEach(async () => {
    expected = [];
    devicesAway = false;
    const memory = openMemoryEventStore();
    store = {
      ...memory,
      append(stream, events, revision) {
        if (stream.startsWith('telemetry-')) expected.push(revision);
        else if (devicesAway) return Promise.reject(new StoreUnavailable('unreachable', 'away'));
        return memory.append(stream, events, revision);
      },
    };
    const devices = hotFamily(store, device, 10);
    const handle = handler({ store, runtime });
    await handle({
      stream: deviceStream(PUMP),
      family: devices,
      decide: registering(PUMP),
      origin: report(beat()).origin,
    });
    const update = (change: UpdateDevice) =>
      handle({
        stream: deviceStream(PUMP),
        family: devices,
        decide: (state) => updateDevice(state, change),
        origin: report(beat()).origin,
      });
    setStatus = (status) => update({ status });
    rename = (name) => update({ name });
    const toStore = reporter({ store, runtime, devices, handle, offlineAfterMs: OFFLINE_AFTER });
    send = (...reports) => toStore(PUMP, reports);
  });

  const told = async () =>
    (await collect(store.read(telemetryStream(PUMP, NOW)))).map(({ type }) => type);
  const changes = async () =>
    (await collect(store.read(deviceStream(PUMP)))).slice(1).map(({ data }) => data);

  it('go into the stream of the day, and what they change into the device’s own', async () => {
    const [answer] = await send(report(beat()));
    expect(await told()).toEqual(['HeartbeatRecorded']);
    expect(await changes()).toMatchObject([{ from: 'unknown', to: 'online', at: NOW }]);
    expect(answer).toMatchObject({ position: await store.head() });
  });

  it('change the device once, and from then on append one event each', async () => {
    await send(report(beat()));
    await send(report(beat()));
    await send(report(beat({ status: 'active' })));
    expect(await told()).toHaveLength(3);
    expect(await changes()).toHaveLength(1);
  });

  it('put the device into the status that the last of them names', async () => {
    await send(report(beat({ status: 'inactive' })), report(beat({ status: 'maintenance' })));
    expect(await changes()).toMatchObject([
      { to: 'online' },
      { from: 'active', to: 'maintenance' },
    ]);
  });

  it('tell nothing of now when they are older than the device may be silent', async () => {
    await send(report(beat({ time: NOW - OFFLINE_AFTER - 1, status: 'inactive' })));
    expect(await changes()).toEqual([]);
    await send(report(beat({ time: NOW - OFFLINE_AFTER })));
    expect(await changes()).toMatchObject([{ to: 'online' }]);
  });

  it('that are log lines alone do not make a device online', async () => {
    await send(report(line));
    expect(await changes()).toEqual([]);
  });

  it('are answered each by itself, in their order', async () => {
    const answers = await send(report(beat()), report(beat({ time: NOW + 300_001 })), report(line));
    expect(answers).toMatchObject([
      { eventId: expect.any(String) as string },
      { refused: 'TIME_IN_FUTURE' },
      { eventId: expect.any(String) as string },
    ]);
    expect(await told()).toEqual(['HeartbeatRecorded', 'LogRecorded']);
  });

  it('append nothing when all of them are refused', async () => {
    const head = await store.head();
    await send(report(beat({ time: NOW + 300_001 })));
    expect(await store.head()).toBe(head);
  });

  it('are appended without looking, unless one has a key', async () => {
    await send(report(beat()), report(line));
    expect(expected).toEqual(['any']);
    await send(report(beat()), report(line, 'content'));
    expect(expected).toEqual(['any', 1]);
  });

  it('with a key stand once, and change nothing twice', async () => {
    const named = report(beat({ status: 'maintenance' }), 'content');
    const [first] = await send(named);
    const [again] = await send(named);
    expect(again).toMatchObject({ eventId: (first as { eventId: string }).eventId });
    expect(await told()).toHaveLength(1);
    expect(await changes()).toHaveLength(2);
  });

  it('with a key do not undo what was done since, whatever comes along with them again', async () => {
    const named = report(beat({ status: 'maintenance' }), 'content');
    await send(named);
    await runtime.sleep(10);
    await setStatus('active');
    await send(named);
    await send(named, report(beat(), 'more'));
    await send(report(beat(), 'before'), named);
    expect(await changes()).toMatchObject([
      { to: 'online' },
      { to: 'maintenance' },
      { from: 'maintenance', to: 'active' },
    ]);
  });

  it('with a key say what the new ones of them say, whatever old ones said', async () => {
    const named = report(beat({ status: 'maintenance' }), 'content');
    await send(named);
    await runtime.sleep(10);
    await setStatus('active');
    await send(report(beat({ status: 'inactive' }), 'new'), named);
    expect((await changes()).at(-1)).toMatchObject({ from: 'active', to: 'inactive' });
  });

  it('with a key change what they did not get to, when they come again', async () => {
    const named = report(beat({ status: 'maintenance' }), 'content');
    await runtime.sleep(10);
    devicesAway = true;
    await expect(send(named)).rejects.toThrow(StoreUnavailable);
    devicesAway = false;
    await runtime.sleep(10);
    await rename('Pump 2');
    await send(named, report(beat(), 'more'));
    expect(await told()).toHaveLength(2);
    expect(await changes()).toMatchObject([
      { name: 'Pump 2' },
      { to: 'online' },
      { to: 'maintenance' },
    ]);
  });

  it('beyond what one append takes go in several, in order', async () => {
    const message = 'x'.repeat(4_096);
    const many = Array.from({ length: 300 }, (_, value) => report({ ...line, message, value }));
    const answers = await send(...many);
    expect(answers).toHaveLength(300);
    expect(expected.length).toBeGreaterThan(1);
    const stored = await collect(store.read(telemetryStream(PUMP, NOW)));
    expect(stored.map(({ data }) => (data as { value: number }).value)).toEqual([
      ...Array(300).keys(),
    ]);
  });
});
