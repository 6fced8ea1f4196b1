import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { device } from '../../src/commands/device/state.js';
import { handler } from '../../src/commands/handle.js';
import { hotFamily } from '../../src/commands/hotFamily.js';
import type { Report } from '../../src/commands/telemetry/decided.js';
import type { Telemetry } from '../../src/commands/telemetry/record.js';
import {
  plainReporter,
  type DeviceReports,
  type ReportPlain,
} from '../../src/commands/telemetry/reportPlain.js';
import { StoreUnavailable, type EventStore } from '../../src/events/eventStore.js';
import { deviceStream, telemetryStream } from '../../src/events/streams.js';
import { hurriedRuntime } from '../support/hurriedRuntime.js';
import { collect } from '../support/logEvents.js';
import { ADA, id, registering } from './things.js';

const [PUMP, FAN] = [id(71), id(72)];
const OFFLINE_AFTER = 90_000;
let commands = 0;

const report = (telemetry: Telemetry, commandHash?: string): Report => ({
  telemetry,
  origin: {
    actor: { kind: 'user', id: ADA },
    commandId: id(2_000 + (commands += 1)),
    ...(commandHash !== undefined && { commandHash }),
  },
  index: 0,
});
const line = (value = 0, message?: string): Telemetry => ({
  kind: 'log',
  event: 'reading',
  level: 'info',
  value,
  message,
});

describe('plain reports of several devices', () => {
  const runtime = hurriedRuntime();
  const NOW = runtime.now();
  let memory: EventStore;
  let reportPlain: ReportPlain;
  let appendEach: EventStore['appendEach'];
  let of: (deviceId: string, ...reports: readonly Report[]) => DeviceReports;

  beforeEach(async () => {
    memory = openMemoryEventStore();
    appendEach = (appends) => memory.appendEach(appends);
    const store: EventStore = { ...memory, appendEach: (appends) => appendEach(appends) };
    const devices = hotFamily(store, device, 10);
    const handle = handler({ store, runtime });
    for (const deviceId of [PUMP, FAN]) {
      await handle({
        stream: deviceStream(deviceId),
        family: devices,
        decide: registering(deviceId),
        origin: report(line()).origin,
      });
    }
    reportPlain = plainReporter({ store, runtime, offlineAfterMs: OFFLINE_AFTER });
    of = (deviceId, ...reports) => {
      const known = devices.peek(deviceStream(deviceId))?.state;
      if (known?.kind !== 'registered') throw new Error('the device is not registered');
      return { device: known, reports };
    };
  });

  const values = async (deviceId: string) =>
    (await collect(memory.read(telemetryStream(deviceId, NOW)))).map(
      ({ data }) => (data as { value?: number }).value,
    );

  it('are appended together, and answered each by itself at the place of its device', async () => {
    const late: Telemetry = { ...line(9), time: NOW + 300_001 };
    const { left, answers } = reportPlain([
      of(PUMP, report(line(1)), report(late), report(line(2))),
      of(FAN, report(line(3))),
    ]);
    expect(left).toEqual([]);
    const [pump, fan] = await answers;
    const [, last] = await collect(memory.read(telemetryStream(PUMP, NOW)));
    const eventId = expect.any(String) as string;
    expect(pump).toEqual([
      { eventId, position: last?.position },
      { refused: 'TIME_IN_FUTURE' },
      { eventId: last?.id, position: last?.position },
    ]);
    expect(fan).toEqual([{ eventId, position: await memory.head() }]);
    expect([await values(PUMP), await values(FAN)]).toEqual([[1, 2], [3]]);
  });

  it.each<[string, readonly Report[]]>([
    ['of which one has a key', [report(line()), report(line(), 'content')]],
    ['that change the device', [report({ kind: 'heartbeat' })]],
    [
      'that one append does not take',
      Array.from({ length: 300 }, () => report(line(0, 'x'.repeat(4_096)))),
    ],
  ])('do not go with those %s, which are left', async (_, reports) => {
    const head = await memory.head();
    const { left, answers } = reportPlain([of(PUMP, ...reports), of(FAN, report(line(1)))]);
    expect(left).toEqual([0]);
    expect(await answers).toEqual([undefined, [expect.objectContaining({ eventId: anyId })]]);
    expect(await collect(memory.readAll({ from: head }))).toHaveLength(1);
  });

  it('that are all refused append nothing', async () => {
    const head = await memory.head();
    const refused = report({ ...line(), time: NOW + 300_001 });
    const { answers } = reportPlain([of(PUMP, refused)]);
    expect(await answers).toEqual([[{ refused: 'TIME_IN_FUTURE' }]]);
    expect(await memory.head()).toBe(head);
  });

  it('may fail for one device and not for another', async () => {
    const full = new StoreUnavailable('full', 'the disk is full');
    appendEach = async ([first, ...others]) => [
      ...(await memory.appendEach(first === undefined ? [] : [first])),
      ...others.map(() => full),
    ];
    const { answers } = reportPlain([
      of(PUMP, report(line(1))),
      of(FAN, report(line(2)), report(line(3))),
    ]);
    expect(await answers).toEqual([[expect.objectContaining({ eventId: anyId })], full]);
  });
});

const anyId = expect.any(String) as string;
