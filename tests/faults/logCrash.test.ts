import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { openSqliteEventStore } from '../../src/adapters/sqlite/eventStore.js';
import type { NewEvent, RecordedEvent } from '../../src/events/envelope.js';
import type { Expected } from '../../src/events/eventStore.js';
import { anEvent, collect, idsOf } from '../support/logEvents.js';
import { temporaryFile } from '../support/temporaryFile.js';

interface PlannedAppend {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: Expected;
}

const STREAMS = 50;
const APPENDS = 3_000;
const CHILD = new URL('logCrashChild.mjs', import.meta.url).pathname;

/**
 * In turn to each stream: one event with `any`, two with the revision that the stream will have by
 * then. So 1,000 appends in flight are at most 30 events a stream, all within the repeat window.
 */
function plan(): PlannedAppend[] {
  const revisions = new Map<string, number>();
  return Array.from({ length: APPENDS }, (_, index) => {
    const stream = `s-${index % STREAMS}`;
    const last = revisions.get(stream) ?? -1;
    const explicit = Math.floor(index / STREAMS) % 2 === 0;
    const events = explicit ? [anEvent(), anEvent()] : [anEvent()];
    revisions.set(stream, last + events.length);
    return { stream, events, expected: !explicit ? 'any' : last < 0 ? 'none' : last };
  });
}

/** Runs the child until it dies; the revision told for each append that it had acknowledged. */
async function appendUntilKilled(
  file: string,
  planned: readonly PlannedAppend[],
  deathAfter: number,
): Promise<Map<number, number>> {
  const [planFile, acknowledgedFile] = [`${file}.plan`, `${file}.acknowledged`];
  writeFileSync(planFile, JSON.stringify(planned));
  const args = [CHILD, file, planFile, acknowledgedFile, String(deathAfter)];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  const lines = readFileSync(acknowledgedFile, 'utf8').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [index = NaN, revision = NaN] = line.split(' ').map(Number);
      return [index, revision];
    }),
  );
}

function eachOnceWithoutGap(log: readonly RecordedEvent[]): void {
  expect(new Set(idsOf(log)).size).toBe(log.length);
  const next = new Map<string, number>();
  const astray = log.filter(({ stream, revision }) => {
    const wanted = next.get(stream) ?? 0;
    next.set(stream, wanted + 1);
    return revision !== wanted;
  });
  expect(astray).toEqual([]);
}

/** Moments of death: numbers of acknowledgements from the first to the 1,500th, as the seed has it. */
const seeds = Array.from({ length: 20 }, (_, seed) => ({
  seed,
  deathAfter: 1 + ((seed * 2_654_435_761) % 1_500),
}));

describe('a process killed with 1,000 appends in flight', () => {
  it.each(seeds)(
    'loses none that it acknowledged (seed $seed, $deathAfter)',
    async ({ deathAfter }) => {
      const { file, remove } = temporaryFile('log.db');
      const planned = plan();
      const acknowledged = await appendUntilKilled(file, planned, deathAfter);
      expect(acknowledged.size).toBe(deathAfter);

      const store = await openSqliteEventStore({ file, signals: createMemorySignals() });
      try {
        const found = await collect(store.readAll());
        eachOnceWithoutGap(found);
        const revisions = new Map(found.map(({ id, revision }) => [id, revision]));
        const lost = [...acknowledged].filter(
          ([index, revision]) =>
            revisions.get(planned[index]?.events.at(-1)?.id ?? '') !== revision,
        );
        expect(lost).toEqual([]);
        // Whole appends, in the order in which they were handed over.
        const inOrder = planned.flatMap(({ events }) => idsOf(events));
        expect(idsOf(found)).toEqual(inOrder.slice(0, found.length));
        const halves = planned.filter(
          ({ events }) => new Set(events.map(({ id }) => revisions.has(id))).size > 1,
        );
        expect(halves).toEqual([]);

        await Promise.all(
          planned
            .filter((_, index) => !acknowledged.has(index))
            .map(({ stream, events, expected }) => store.append(stream, events, expected)),
        );
        const whole = await collect(store.readAll());
        eachOnceWithoutGap(whole);
        expect(idsOf(whole)).toEqual(inOrder);
      } finally {
        await store.stop();
        remove();
      }
    },
  );
});
