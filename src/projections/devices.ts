import type { Connection, DeviceStatus } from '../events/values.js';
import { documentTag, projection, scopeTags } from './projection.js';

/** A device without what its heartbeats say (see `VitalsDoc`). Times are milliseconds since the epoch. */
export type DeviceDoc = Readonly<{
  id: string;
  organizationId: string;
  ownerId: string;
  name: string;
  /** The name as it is sorted by. */
  sortName: string;
  type: string;
  status: DeviceStatus;
  connection: Connection;
  tags: readonly string[];
  /** The words that a text search finds it by. */
  words: readonly string[];
  metadata: Readonly<Record<string, unknown>>;
  heartbeatInterval: number | null;
  tokens: readonly Readonly<{ id: string; name: string; issuedAt: number }>[];
  deleted: boolean;
  createdAt: number;
  updatedAt: number;
  /** The revision of the device's own stream, which a heartbeat does not move. */
  revision: number;
}>;

const key = (event: { readonly data: { readonly deviceId: string } }) => event.data.deviceId;

export const devices = projection<DeviceDoc>({
  name: 'devices',
  version: 2,
  collection: {
    name: 'devices',
    indexes: [
      { fields: ['deleted', 'organizationId', 'createdAt'] },
      { fields: ['deleted', 'organizationId', 'sortName'] },
      { fields: ['deleted', 'organizationId', 'updatedAt'] },
      { fields: ['deleted', 'createdAt'] },
      { fields: ['deleted', 'sortName'] },
      { fields: ['deleted', 'updatedAt'] },
      { fields: ['deleted', 'organizationId', 'status'] },
      { fields: ['deleted', 'organizationId', 'type'] },
      { fields: ['deleted', 'organizationId', 'connection'] },
      { fields: ['tags'] },
      { fields: ['words'] },
    ],
  },
  tags: (id, { organizationId }) => [
    documentTag('devices', id),
    ...scopeTags('devices', organizationId),
  ],
  // Its metadata: 16 KiB of text, a thousand values.
  largest: 80_000,
  on: {
    DeviceRegistered: {
      key,
      fold: (_doc, { data, time, revision }) => ({
        id: data.deviceId,
        organizationId: data.organizationId,
        ownerId: data.ownerId,
        ...named(data.name),
        type: data.deviceType,
        status: data.status,
        connection: 'unknown',
        tags: data.tags,
        metadata: data.metadata,
        heartbeatInterval: data.heartbeatInterval ?? null,
        tokens: [],
        deleted: false,
        createdAt: time,
        updatedAt: time,
        revision,
      }),
    },
    DeviceDetailsChanged: {
      key,
      fold: (doc, { data, time, revision }) => {
        if (doc === undefined) return undefined;
        const { deviceId: _, organizationId: __, name, ...changed } = data;
        const naming = name === undefined ? {} : named(name);
        return { ...doc, ...changed, ...naming, updatedAt: time, revision };
      },
    },
    DeviceTypeChanged: {
      key,
      fold: (doc, { data, time, revision }) =>
        doc && { ...doc, type: data.to, updatedAt: time, revision },
    },
    DeviceStatusChanged: {
      key,
      fold: (doc, { data, time, revision }) =>
        doc && { ...doc, status: data.to, updatedAt: time, revision },
    },
    DeviceConnectionChanged: {
      key,
      fold: (doc, { data, revision }) => doc && { ...doc, connection: data.to, revision },
    },
    DeviceDeleted: {
      key,
      fold: (doc, { time, revision }) =>
        doc && { ...doc, deleted: true, updatedAt: time, revision },
    },
    DeviceRestored: {
      key,
      fold: (doc, { time, revision }) =>
        doc && { ...doc, deleted: false, updatedAt: time, revision },
    },
    DeviceTokenIssued: {
      key,
      fold: (doc, { data, time, revision }) => {
        if (doc === undefined) return undefined;
        const token = { id: data.tokenId, name: data.name, issuedAt: time };
        return { ...doc, tokens: [...doc.tokens, token], revision };
      },
    },
    DeviceTokenRevoked: {
      key,
      fold: (doc, { data, revision }) =>
        doc && { ...doc, tokens: doc.tokens.filter(({ id }) => id !== data.tokenId), revision },
    },
  },
});

function named(name: string) {
  const sortName = name.toLowerCase();
  const words = [...new Set([sortName, ...sortName.split(/[^\p{L}\p{N}]+/u)])].filter(Boolean);
  return { name, sortName, words };
}
