import { createMemorySignals } from '#dist/adapters/memory/signals.js';
import { openSqliteEventLogReader } from '#dist/adapters/sqlite/eventStore.js';
import { yieldToServing } from '#dist/adapters/threads/priority.js';
import { parsePosition, START } from '#dist/events/envelope.js';
import { measure } from '../harness/child.js';
import type { PreparedLog } from '../log/prepare.js';

export interface Scanned {
  readonly perSecond: number;
  /** Processor time for one event, in microseconds. */
  readonly cpuUs: number;
}

/**
 * Reads and parses the heartbeats of a log and does nothing with them, at the priority of the thread
 * that folds: where others use the machine, they meet both alike.
 */
measure(async ({ file, registeredAt }: PreparedLog): Promise<Scanned> => {
  yieldToServing();
  const signals = createMemorySignals();
  const reader = await openSqliteEventLogReader({ file, signals });
  const from = parsePosition(registeredAt) ?? START;
  const began = performance.now();
  const cpu = process.cpuUsage();
  let events = 0;
  for await (const event of reader.readAll({ from, types: ['HeartbeatRecorded'] })) {
    if (event.type !== '') events += 1;
  }
  const perSecond = events / ((performance.now() - began) / 1_000);
  const { user, system } = process.cpuUsage(cpu);
  await reader.stop();
  await signals.stop();
  return { perSecond, cpuUs: (user + system) / events };
});
