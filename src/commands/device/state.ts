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
      const { organizationId, ownerId, deviceType, tags, metadata } = event.data;
      return {
        kind: 'registered',
        ...event.data,
        organizationId: shared.organizationId(organizationId),
        ownerId: shared.ownerId(ownerId),
        deviceType: shared.deviceType(deviceType),
        tags: tags.length === 0 ? NO_TAGS : tags,
        metadata: Object.keys(metadata).length === 0 ? NO_METADATA : metadata,
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

/** 100,000 devices are in memory: what many of them have is one string, list or object for all of them. */
const NO_TAGS: KnownDevice['tags'] = [];
const NO_METADATA: KnownDevice['metadata'] = {};
const shared = {
  organizationId: sharing(),
  ownerId: sharing(),
  deviceType: sharing(),
};

/** Gives back the text that it was given last, if that says the same. */
function sharing(): (text: string) => string {
  let last = '';
  return (text) => {
    if (text !== last) last = text;
    return last;
  };
}

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
