import { documentTag, projection } from './projection.js';

/**
 * What a device's latest heartbeats said. It is a document of its own, and a small one, because every
 * heartbeat writes it, while the device itself hardly ever changes.
 */
export type VitalsDoc = Readonly<{
  firmware: string | null;
  /** The metrics of the last heartbeat that had any. */
  metrics: Readonly<Record<string, number>>;
  /** By the device's own clock, in milliseconds since the epoch. */
  lastSeenAt: number;
}>;

/** By the device's id. */
export const deviceVitals = projection<VitalsDoc>({
  name: 'device-vitals',
  version: 1,
  collection: { name: 'device_vitals', indexes: [] },
  tags: (id) => [documentTag('device_vitals', id)],
  on: {
    HeartbeatRecorded: {
      key: ({ data }) => data.deviceId,
      foldAll: (doc, events) => {
        let { firmware, metrics, lastSeenAt } = doc ?? NOTHING_SEEN;
        for (const { data } of events) {
          // Times of the past come with imports and spools: only the latest tells how the device is.
          if (data.at < lastSeenAt) continue;
          lastSeenAt = data.at;
          metrics = data.metrics ?? metrics;
          firmware = data.firmware ?? firmware;
        }
        const same =
          lastSeenAt === doc?.lastSeenAt && metrics === doc.metrics && firmware === doc.firmware;
        return same ? doc : { firmware, metrics, lastSeenAt };
      },
    },
  },
});

const NOTHING_SEEN = { firmware: null, metrics: {}, lastSeenAt: -Infinity } as const;
