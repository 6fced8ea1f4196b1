import type { DomainEvent } from '../../events/catalog.js';
import { footprint } from '../../events/footprint.js';
import type { Connection, DeviceStatus } from '../../events/values.js';
import type { Family } from '../decider.js';

export interface DeviceToken {
  readonly id: string;
  readonly name: string;
  readonly hash: string;
}

export interface KnownDevice {
  readonly kind: 'registered' | 'deleted';
  readonly deviceId: string;
  readonly organizationId: string;
  readonly ownerId: string;
  readonly name: string;
  readonly deviceType: string;
  readonly status: DeviceStatus;
  /** When somebody last said so, in milliseconds since the epoch. */
  readonly statusAt: number;
  readonly connection: Connection;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Seconds; null is the installation's default. */
  readonly heartbeatInterval: number | null;
  readonly tokens: readonly DeviceToken[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type DeviceState = { readonly kind: 'none' } | KnownDevice;

export const device: Family<DeviceState> = {
  name: 'device',
  initial: { kind: 'none' },
  weight: (state) =>
    state.kind === 'none' ? 1 : 1 + Math.floor(footprint(state.metadata) / 1_024),
  evolve(state, event, time) {
    if (state.kind === 'none') {
      if (event.type !== 'DeviceRegistered') return state;
      return {
        kind: 'registered',
        ...event.data,
        heartbeatInterval: event.data.heartbeatInterval ?? null,
        statusAt: time,
        connection: 'unknown',
        tokens: [],
        createdAt: time,
        updatedAt: time,
      };
    }
    return evolveKnown(state, event, time);
  },
};

function evolveKnown(state: KnownDevice, event: DomainEvent, time: number): KnownDevice {
  switch (event.type) {
    case 'DeviceDetailsChanged': {
      const { deviceId: _, organizationId: __, ...changed } = event.data;
      return { ...state, ...changed, updatedAt: time };
    }
    case 'DeviceTypeChanged':
      return { ...state, deviceType: event.data.to, updatedAt: time };
    case 'DeviceStatusChanged':
      return { ...state, status: event.data.to, statusAt: time, updatedAt: time };
    case 'DeviceConnectionChanged':
      return { ...state, connection: event.data.to };
    case 'DeviceDeleted':
      return { ...state, kind: 'deleted', updatedAt: time };
    case 'DeviceRestored':
      return { ...state, kind: 'registered', updatedAt: time };
    case 'DeviceTokenIssued': {
      const { tokenId: id, name, tokenHash: hash } = event.data;
      return { ...state, tokens: [...state.tokens, { id, name, hash }] };
    }
    case 'DeviceTokenRevoked':
      return { ...state, tokens: state.tokens.filter(({ id }) => id !== event.data.tokenId) };
    default:
      return state;
  }
}
