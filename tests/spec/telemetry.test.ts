import { device, type DeviceState } from '../../src/commands/device/state.js';
import { isRefusal } from '../../src/commands/refusal.js';
import {
  CLOCK_AHEAD_MS,
  recordTelemetry,
  type Telemetry,
} from '../../src/commands/telemetry/record.js';
import { BEFORE, given } from './given.js';
import { deleted, heartbeat, logged, registered, restored } from './things.js';

const NOW = BEFORE + 3_600_000;

const record = (telemetry: Telemetry) => (state: DeviceState) => {
  const decided = recordTelemetry(state, telemetry, NOW);
  return isRefusal(decided) ? decided : [decided];
};

describe('recording a heartbeat', () => {
  it('takes the time of receipt where the device does not say', () => {
    given(device, registered())
      .when(record({ kind: 'heartbeat' }))
      .then(heartbeat(NOW));
  });

  it('keeps what the device says of itself, and when it was', () => {
    given(device, registered())
      .when(
        record({
          kind: 'heartbeat',
          time: BEFORE,
          status: 'maintenance',
          metrics: { 'load.1m': 0.5 },
          firmware: '1.2.3',
        }),
      )
      .then(
        heartbeat(BEFORE, {
          status: 'maintenance',
          metrics: { 'load.1m': 0.5 },
          firmware: '1.2.3',
        }),
      );
  });

  it('takes a time of the past, however long ago', () => {
    given(device, registered())
      .when(record({ kind: 'heartbeat', time: 0 }))
      .then(heartbeat(0));
  });

  it('lets a clock run ahead by five minutes and not by a millisecond more', () => {
    expect(CLOCK_AHEAD_MS).toBe(300_000);
    const edge = NOW + 300_000;
    given(device, registered())
      .when(record({ kind: 'heartbeat', time: edge }))
      .then(heartbeat(edge));
    given(device, registered())
      .when(record({ kind: 'heartbeat', time: edge + 1 }))
      .refused('TIME_IN_FUTURE');
  });

  it('is refused for a device that is deleted, or that nobody knows', () => {
    given(device, registered(), deleted())
      .when(record({ kind: 'heartbeat' }))
      .refused('DEVICE_DELETED');
    given(device)
      .when(record({ kind: 'heartbeat' }))
      .refused('DEVICE_NOT_FOUND');
  });

  it('is taken again once the device is restored', () => {
    given(device, registered(), deleted(), restored())
      .when(record({ kind: 'heartbeat' }))
      .then(heartbeat(NOW));
  });
});

describe('recording a log line', () => {
  const line = { kind: 'log', event: 'valve.opened', level: 'info' } as const;

  it('keeps what is said and nothing that is not', () => {
    given(device, registered()).when(record(line)).then(logged(NOW));
    given(device, registered())
      .when(record({ ...line, level: 'error', message: 'stuck', value: 0, data: { try: 2 } }))
      .then(logged(NOW, { level: 'error', message: 'stuck', value: 0, data: { try: 2 } }));
  });

  it('takes an empty message for one', () => {
    given(device, registered())
      .when(record({ ...line, message: '' }))
      .then(logged(NOW, { message: '' }));
  });

  it('is refused where a heartbeat is', () => {
    given(device).when(record(line)).refused('DEVICE_NOT_FOUND');
    given(device, registered(), deleted()).when(record(line)).refused('DEVICE_DELETED');
    given(device, registered())
      .when(record({ ...line, time: NOW + CLOCK_AHEAD_MS + 1 }))
      .refused('TIME_IN_FUTURE');
  });
});
