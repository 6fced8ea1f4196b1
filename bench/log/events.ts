import { randomUUID } from 'node:crypto';
import { registerDevice } from '#dist/commands/device/registerDevice.js';
import { device as deviceFamily, type KnownDevice } from '#dist/commands/device/state.js';
import { eventId, metadataOf, type Origin } from '#dist/commands/origin.js';
import { isRefusal } from '#dist/commands/refusal.js';
import { toAppend } from '#dist/commands/telemetry/decided.js';
import { recordTelemetry } from '#dist/commands/telemetry/record.js';
import type { NewEvent } from '#dist/events/envelope.js';
import { METRICS } from '../load/heartbeats.js';

/** Events as the API writes them, made by the code that makes them there. */

export interface MadeDevice {
  readonly device: KnownDevice;
  /** The event by which it is in the log. */
  readonly registered: NewEvent;
}

const ORGANIZATION = randomUUID();
const OWNER = randomUUID();

/** A device registered at `time`. */
export function madeDevice(index: number, time: number): MadeDevice {
  const decided = registerDevice(
    { kind: 'none' },
    {
      deviceId: randomUUID(),
      organizationId: ORGANIZATION,
      ownerId: OWNER,
      name: `sensor-${String(index + 1).padStart(6, '0')}`,
      deviceType: 'sensor',
      tags: ['bench'],
    },
  );
  const [event] = isRefusal(decided) ? [] : decided;
  const state = event && deviceFamily.evolve({ kind: 'none' }, event, time);
  if (event === undefined || state?.kind !== 'registered') throw new Error('not registered');
  const origin = originOf({ kind: 'user', id: OWNER });
  const { type, data } = event;
  const id = eventId(origin.commandId, 0);
  return { device: state, registered: { id, type, time, data, metadata: metadataOf(origin, 1) } };
}

/** A heartbeat that the device sent by itself. */
export function heartbeat(device: KnownDevice, time: number): NewEvent {
  const origin = originOf({ kind: 'device', id: device.deviceId });
  const event = recordTelemetry(device, { kind: 'heartbeat', metrics: METRICS }, time);
  const [made] = toAppend([{ event, id: eventId(origin.commandId, 0), origin }], time);
  if (made === undefined) throw new Error('a heartbeat was refused');
  return made;
}

function originOf(actor: Origin['actor']): Origin {
  return { actor, commandId: randomUUID(), requestId: randomUUID() };
}
