import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { openSqliteEventStore } from '../../src/adapters/sqlite/eventStore.js';
import { REPEAT_WINDOW, type EventStore } from '../../src/events/eventStore.js';
import { anEvent, collect, follow, idsOf, someEvents } from '../support/logEvents.js';
import { startLogProcess, type LogProcess } from '../support/logProcess.js';
import { temporaryFile, type TemporaryFile } from '../support/temporaryFile.js';

/** What the contract can't say because it does not know of two processes: who wrote what. */

let other: LogProcess;
let temporary: TemporaryFile;
let here: EventStore;
let there: EventStore;

beforeAll(async () => {
  other = await startLogProcess();
});
afterAll(() => other.end());

beforeEach(async () => {
  temporary = temporaryFile('log.db');
  const { file } = temporary;
  // Signals that nobody else hears: as between processes without Redis.
  here = await openSqliteEventStore({ file, signals: createMemorySignals() });
  there = await other.open(file);
});
afterEach(async () => {
  await Promise.all([here.stop(), there.stop()]);
  temporary.remove();
});

const bothInTurn = (count: number) =>
  Array.from({ length: count }, (_, index) => (index % 2 === 0 ? here : there));

describe('two writers in two processes', () => {
  it('go on in turn where the other left off, each knowing the revision', async () => {
    const events = someEvents(100);
    for (const [index, writer] of bothInTurn(events.length).entries()) {
      const event = events.slice(index, index + 1);
      const { revision } = await writer.append('s', event, index === 0 ? 'none' : index - 1);
      expect(revision).toBe(index);
    }
    expect(idsOf(await collect(here.read('s')))).toEqual(idsOf(events));
  });

  it('are refused where the other has been, and told where the stream is', async () => {
    await here.append('s', someEvents(2), 'none');
    await there.append('s', someEvents(3), 1);
    for (const expected of ['none', 1, 7] as const) {
      await expect(here.append('s', [anEvent()], expected)).rejects.toMatchObject({
        name: 'WrongRevision',
        expected,
        actual: 4,
      });
    }
  });

  it('get one winner of each revision when both want it at once', async () => {
    const ROUNDS = 50;
    for (let round = 0; round < ROUNDS; round++) {
      const expected = round === 0 ? 'none' : round - 1;
      const outcomes = await Promise.allSettled(
        [here, there].map((writer) => writer.append('s', [anEvent()], expected)),
      );
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    }
    expect(await collect(here.read('s'))).toHaveLength(ROUNDS);
  });
});

describe('an append that is repeated through another process', () => {
  it.each(['any', 'none'] as const)('is answered as the first time (%s)', async (expected) => {
    const events = someEvents(3);
    const first = await here.append('s', events, expected);
    expect(await there.append('s', events, expected)).toEqual(first);
    // Both remember the stream's last events by now, and each has to forget them when the other writes.
    for (const [index, writer] of bothInTurn(REPEAT_WINDOW - 1).entries()) {
      const event = [anEvent()];
      const answer = await writer.append('s', event, 'any');
      expect(answer.revision).toBe(3 + index);
      expect(await (writer === here ? there : here).append('s', event, 'any')).toEqual(answer);
    }
    expect(await there.append('s', events, expected)).toEqual(first);
    expect(await here.append('s', events, expected)).toEqual(first);
    expect(await collect(here.read('s'))).toHaveLength(3 + REPEAT_WINDOW - 1);
  });

  it('stands once when it is under way through both', async () => {
    const appends = Array.from({ length: 50 }, () => someEvents(2));
    for (const events of appends) {
      const answers = await Promise.all([
        here.append('s', events, 'any'),
        there.append('s', events, 'any'),
      ]);
      expect(answers[1]).toEqual(answers[0]);
    }
    expect(idsOf(await collect(here.read('s')))).toEqual(appends.flatMap(idsOf));
  });
});

describe('a subscription', () => {
  it('finds what another process has written by itself, without a signal', async () => {
    const ROUNDS = 40;
    const delays: number[] = [];
    let tell = (): void => undefined;
    const told = () =>
      new Promise<void>((resolve) => {
        tell = resolve;
      });
    const begun = told();
    const following = follow(here, { from: 'now' }, (seen) => {
      tell();
      return seen.length === ROUNDS;
    });
    await begun;
    for (let round = 0; round < ROUNDS; round++) {
      // At another moment between two looks each time.
      for (let calls = 0; calls < (round * 7) % 20; calls++) await there.head();
      const seen = told().then(() => performance.now());
      await there.append('s', [anEvent()], 'any');
      const acknowledged = performance.now();
      // What is seen before its acknowledgement has come all the way took no time.
      delays.push(Math.max(0, (await seen) - acknowledged));
    }
    await following;
    expect(delays).toHaveLength(ROUNDS);
    delays.sort((a, b) => a - b);
    const at = (share: number) => delays[Math.floor(share * (ROUNDS - 1))]?.toFixed(1);
    process.stderr.write(
      `another process's events, from their acknowledgement to the subscription: ` +
        `p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, worst ${at(1)} ms\n`,
    );
  });
});
