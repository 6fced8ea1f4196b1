import { registerDevice } from '../../src/commands/device/registerDevice.js';
import type { DeviceState } from '../../src/commands/device/state.js';
import type { DeviceEvent } from '../../src/events/device.js';
import type { OrganizationEvent } from '../../src/events/organization.js';
import type { SessionEvent } from '../../src/events/session.js';
import type { TelemetryEvent } from '../../src/events/telemetry.js';
import type { UserEvent } from '../../src/events/user.js';
import type { MemberRole } from '../../src/events/values.js';

/** The people and things that specs are about, and what usually happens to them. */

type DataOf<Event extends { type: string; data: object }, Type extends Event['type']> = Extract<
  Event,
  { type: Type }
>['data'];

/** An id that tells its number: `id(1)` is the same everywhere. */
export const id = (number: number): string =>
  `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;

export const ADA = id(1);
export const BOB = id(2);
export const ACME = id(10);
export const PUMP = id(20);
export const TOKEN = id(30);
export const SESSION = id(40);

const pump = { deviceId: PUMP, organizationId: ACME };

export const registered = (given: Partial<DataOf<DeviceEvent, 'DeviceRegistered'>> = {}) =>
  ({
    type: 'DeviceRegistered',
    data: {
      ...pump,
      ownerId: ADA,
      name: 'Pump 1',
      deviceType: 'pump',
      status: 'active',
      tags: ['cellar'],
      metadata: { floor: -1 },
      ...given,
    },
  }) as const satisfies DeviceEvent;

export const detailsChanged = (
  changed: Omit<DataOf<DeviceEvent, 'DeviceDetailsChanged'>, 'deviceId' | 'organizationId'>,
) =>
  ({ type: 'DeviceDetailsChanged', data: { ...pump, ...changed } }) as const satisfies DeviceEvent;

export const typeChanged = (from: string, to: string) =>
  ({ type: 'DeviceTypeChanged', data: { ...pump, from, to } }) as const satisfies DeviceEvent;

type Status = DataOf<DeviceEvent, 'DeviceStatusChanged'>['to'];
export const statusChanged = (from: Status, to: Status) =>
  ({ type: 'DeviceStatusChanged', data: { ...pump, from, to } }) as const satisfies DeviceEvent;

type Link = DataOf<DeviceEvent, 'DeviceConnectionChanged'>['to'];
export const connectionChanged = (from: Link, to: Link, at: number) =>
  ({
    type: 'DeviceConnectionChanged',
    data: { ...pump, from, to, at },
  }) as const satisfies DeviceEvent;

type Counted = Omit<DataOf<DeviceEvent, 'DeviceDeleted'>, 'deviceId' | 'organizationId'>;
const usual: Counted = { deviceType: 'pump', status: 'active', connection: 'unknown' };

export const deleted = (counted: Partial<Counted> = {}) =>
  ({
    type: 'DeviceDeleted',
    data: { ...pump, ...usual, ...counted },
  }) as const satisfies DeviceEvent;

export const restored = (counted: Partial<Counted> = {}) =>
  ({
    type: 'DeviceRestored',
    data: { ...pump, ...usual, ...counted },
  }) as const satisfies DeviceEvent;

export const tokenIssued = (tokenId = TOKEN, name = 'installer', tokenHash = 'digest') =>
  ({
    type: 'DeviceTokenIssued',
    data: { ...pump, tokenId, name, tokenHash },
  }) as const satisfies DeviceEvent;

export const tokenRevoked = (tokenId = TOKEN) =>
  ({ type: 'DeviceTokenRevoked', data: { ...pump, tokenId } }) as const satisfies DeviceEvent;

export const heartbeat = (
  at: number,
  given: Partial<DataOf<TelemetryEvent, 'HeartbeatRecorded'>> = {},
) =>
  ({
    type: 'HeartbeatRecorded',
    data: { ...pump, at, ...given },
  }) as const satisfies TelemetryEvent;

export const logged = (at: number, given: Partial<DataOf<TelemetryEvent, 'LogRecorded'>> = {}) =>
  ({
    type: 'LogRecorded',
    data: { ...pump, at, event: 'valve.opened', level: 'info', ...given },
  }) as const satisfies TelemetryEvent;

export const userRegistered = (given: Partial<DataOf<UserEvent, 'UserRegistered'>> = {}) =>
  ({
    type: 'UserRegistered',
    data: {
      userId: ADA,
      name: 'Ada Lovelace',
      email: 'ada@example.com',
      passwordHash: 'digest',
      role: 'user',
      organizationId: ACME,
      ...given,
    },
  }) as const satisfies UserEvent;

export const organizationCreated = (ownerId = ADA) =>
  ({
    type: 'OrganizationCreated',
    data: { organizationId: ACME, name: 'Acme', ownerId, personal: false },
  }) as const satisfies OrganizationEvent;

export const memberAdded = (userId: string, role: MemberRole) =>
  ({
    type: 'MemberAdded',
    data: { organizationId: ACME, userId, role },
  }) as const satisfies OrganizationEvent;

export const memberRoleChanged = (userId: string, role: MemberRole) =>
  ({
    type: 'MemberRoleChanged',
    data: { organizationId: ACME, userId, role },
  }) as const satisfies OrganizationEvent;

export const memberRemoved = (userId: string) =>
  ({
    type: 'MemberRemoved',
    data: { organizationId: ACME, userId },
  }) as const satisfies OrganizationEvent;

export const sessionStarted = (expiresAt: number) =>
  ({
    type: 'SessionStarted',
    data: { sessionId: SESSION, userId: ADA, address: '192.0.2.1', agent: 'curl', expiresAt },
  }) as const satisfies SessionEvent;

export const sessionRefreshed = (generation: number) =>
  ({
    type: 'SessionRefreshed',
    data: { sessionId: SESSION, userId: ADA, generation },
  }) as const satisfies SessionEvent;

export const sessionEnded = (reason: DataOf<SessionEvent, 'SessionEnded'>['reason']) =>
  ({
    type: 'SessionEnded',
    data: { sessionId: SESSION, userId: ADA, reason },
  }) as const satisfies SessionEvent;

/** Decides that a pump of Ada's is registered under an id. */
export const registering = (deviceId: string) => (state: DeviceState) =>
  registerDevice(state, {
    deviceId,
    organizationId: ACME,
    ownerId: ADA,
    name: 'Pump',
    deviceType: 'pump',
  });
