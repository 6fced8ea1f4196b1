import { randomUUID } from 'node:crypto';
import { startRoleThread } from '#dist/adapters/threads/roleThread.js';
import { createThreadSignals } from '#dist/adapters/threads/signals.js';
import type { MongodbConfig } from '#dist/config.js';
import { parsePosition, START, type Position } from '#dist/events/envelope.js';
import { projections } from '#dist/projections/registry.js';
import type { ProjectionSettings } from '#dist/projectionsRole.js';
import { measure } from '../harness/child.js';
import type { PreparedLog } from '../log/prepare.js';

export interface FoldSettings {
  readonly log: PreparedLog;
  /** Where the read models are made anew. */
  readonly readModels: string;
  /** Where they are made instead, if it is given. */
  readonly mongodb?: MongodbConfig;
}

export interface Folded {
  /** Heartbeats folded by every projection in a second, once the devices were there. */
  readonly perSecond: number;
  /** Processor time for one, in microseconds. */
  readonly cpuUs: number;
  readonly rssBytes: number;
}

/**
 * Runs every projection as the server does, from nothing to the log's end: on the server's own
 * thread, with its limits and its priority. This thread does nothing but listen, so it hears of a
 * batch when it has been written, and the clock starts with the first that has all registrations.
 */
measure(async ({ log, readModels, mongodb }: FoldSettings): Promise<Folded> => {
  const instance = randomUUID();
  const signals = createThreadSignals(instance);
  const reached = new Map<string, Position>();
  let done: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const first = { at: NaN, cpu: process.cpuUsage(), position: START };
  const registeredAt = parsePosition(log.registeredAt) ?? START;
  const head = parsePosition(log.head) ?? START;

  signals.listen((signal) => {
    if (signal.kind !== 'projected') return;
    for (const { name } of signal.projections) reached.set(name, signal.position);
    const slowest = projections.reduce((least, { name }) => {
      const position = reached.get(name) ?? START;
      return position < least ? position : least;
    }, head);
    if (Number.isNaN(first.at) && slowest >= registeredAt) {
      first.at = performance.now();
      first.cpu = process.cpuUsage();
      first.position = slowest;
    }
    if (slowest >= head) done();
  });
  const thread = startRoleThread(new URL(import.meta.resolve('#bundle/projectionsThread.js')), {
    files: { log: log.file, readModels },
    mongodb,
    instance,
    logLevel: 'warn',
  } satisfies ProjectionSettings);
  await Promise.race([all, thread.died]);
  const seconds = (performance.now() - first.at) / 1_000;
  const { user, system } = process.cpuUsage(first.cpu);
  const rssBytes = process.memoryUsage.rss();
  await thread.stop();
  await signals.stop();
  // Positions of this log are dense, and behind the registrations there are heartbeats alone.
  const events = Number(head - first.position);
  return { perSecond: events / seconds, cpuUs: (user + system) / events, rssBytes };
});
