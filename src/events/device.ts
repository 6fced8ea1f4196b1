import { Type } from 'typebox';
import { defineEvent, type EventOf } from './definition.js';
import {
  Connection,
  DeviceStatus,
  Free,
  HeartbeatInterval,
  Id,
  Line,
  Millis,
  Name,
  Tags,
} from './values.js';

/** Every device event names its organization, so that no fold needs another document to place it. */
const Device = { deviceId: Id, organizationId: Id };

/** What the fleet counts of a dashboard count by. */
const Counted = { deviceType: Name, status: DeviceStatus, connection: Connection };

/**
 * Stream `device-{id}`: a device's lifecycle and presence. Short, and decided upon; what the device
 * reports is in its telemetry streams. A change of what is counted says what it was before, so that
 * counts can be folded from the events alone.
 */
export const deviceEvents = [
  defineEvent(
    'DeviceRegistered',
    'A device was added to an organization.',
    Type.Object({
      ...Device,
      ownerId: Id,
      name: Line(100),
      deviceType: Name,
      status: DeviceStatus,
      tags: Tags,
      metadata: Free,
      heartbeatInterval: Type.Optional(HeartbeatInterval),
    }),
  ),
  defineEvent(
    'DeviceDetailsChanged',
    'What describes the device was changed; only what changed is named. A heartbeat interval of null is the default.',
    Type.Object({
      ...Device,
      name: Type.Optional(Line(100)),
      tags: Type.Optional(Tags),
      metadata: Type.Optional(Free),
      heartbeatInterval: Type.Optional(Type.Union([HeartbeatInterval, Type.Null()])),
    }),
  ),
  defineEvent(
    'DeviceTypeChanged',
    'The device is now of another type.',
    Type.Object({ ...Device, from: Name, to: Name }),
  ),
  defineEvent(
    'DeviceStatusChanged',
    'The device was put into another status, by a person or by itself.',
    Type.Object({ ...Device, from: DeviceStatus, to: DeviceStatus }),
  ),
  defineEvent(
    'DeviceConnectionChanged',
    'The device was heard of again, or has been silent for too long.',
    Type.Object({ ...Device, from: Connection, to: Connection, at: Millis }),
  ),
  defineEvent(
    'DeviceDeleted',
    'The device was taken out of use. Its history stays, and it can be restored.',
    Type.Object({ ...Device, ...Counted }),
  ),
  defineEvent(
    'DeviceRestored',
    'A deleted device came back, as it was.',
    Type.Object({ ...Device, ...Counted }),
  ),
  defineEvent(
    'DeviceTokenIssued',
    'The device may speak for itself with this token, of which only a digest is kept.',
    Type.Object({ ...Device, tokenId: Id, name: Line(100), tokenHash: Type.String() }),
  ),
  defineEvent(
    'DeviceTokenRevoked',
    'The token no longer works.',
    Type.Object({ ...Device, tokenId: Id }),
  ),
] as const;

export type DeviceEvent = EventOf<(typeof deviceEvents)[number]>;
