import { openMemoryEventStore } from '../../src/adapters/memory/eventStore.js';
import { eventId } from '../../src/commands/origin.js';
import { refuse } from '../../src/commands/refusal.js';
import {
  ONCE_WINDOW,
  onceAppender,
  type AppendOnce,
} from '../../src/commands/telemetry/appendOnce.js';
import type { Decided } from '../../src/commands/telemetry/decided.js';
import { StoreUnavailable, WrongRevision, type EventStore } from '../../src/events/eventStore.js';
import { telemetryStream } from '../../src/events/streams.js';
import { collect, someEvents } from '../support/logEvents.js';
import { heartbeat, PUMP } from './things.js';

const DAY_MS = 86_400_000;
const MIDNIGHT = Date.UTC(2026, 2, 1);
const NOON = MIDNIGHT + DAY_MS / 2;

const COMMANDS = '4f3dbb0e-6d3c-5b8a-9d0f-2b6a1f6e9c11';

/** A report under a key of its sender's, saying `content`. */
const report = (key: string, content = 'content'): Decided => ({
  event: heartbeat(NOON),
  id: eventId(COMMANDS, Number(key)),
  origin: { actor: { kind: 'device', id: PUMP }, commandId: key, commandHash: content },
});

const reports = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => report(String(from + index)));

const stored = async (store: EventStore, day = NOON) =>
  (await collect(store.read(telemetryStream(PUMP, day)))).map(({ id }) => id);

/** Its answers as they go out: a repeat has that of the first time. */
function appender(...given: Parameters<typeof onceAppender>): AppendOnce {
  const appendOnce = onceAppender(...given);
  return async (...reported) =>
    (await appendOnce(...reported)).map((answer) => ({ ...answer, firstAt: undefined }));
}

describe('a report under a key of its sender’s', () => {
  it('is appended, and answered with where it stands', async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    const answers = await appendOnce(PUMP, reports(1, 2), NOON);
    const position = await store.head();
    expect(answers).toEqual(reports(1, 2).map(({ id }) => ({ eventId: id, position })));
  });

  it('is answered as the first time when it comes again, alone or among others', async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    const [first] = await appendOnce(PUMP, [report('1')], NOON);
    expect(await appendOnce(PUMP, [report('1')], NOON)).toEqual([first]);
    const [second, again] = await appendOnce(PUMP, [report('2'), report('1')], NOON + 1);
    expect(again).toEqual(first);
    expect(second).toMatchObject({ eventId: report('2').id });
    expect(await stored(store)).toHaveLength(2);
  });

  it('is known to have come before, and when', async () => {
    const appendOnce = onceAppender(openMemoryEventStore());
    const [first] = await appendOnce(PUMP, [report('1')], NOON);
    expect(first).toMatchObject({ firstAt: undefined });
    const [again, other] = await appendOnce(PUMP, reports(1, 2), NOON + 5);
    expect([again, other]).toMatchObject([{ firstAt: NOON }, { firstAt: undefined }]);
  });

  it('is refused when it says something else under the same key', async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    await appendOnce(PUMP, [report('1', 'one')], NOON);
    expect(await appendOnce(PUMP, [report('1', 'other')], NOON)).toEqual([
      refuse('IDEMPOTENCY_KEY_REUSED'),
    ]);
  });

  it('stands once when one batch holds it twice', async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    const [one, same, other] = await appendOnce(
      PUMP,
      [report('1', 'one'), report('1', 'one'), report('1', 'other')],
      NOON,
    );
    expect(same).toEqual(one);
    expect(other).toEqual(refuse('IDEMPOTENCY_KEY_REUSED'));
    expect(await stored(store)).toHaveLength(1);
  });

  it('stands once when it comes many times at once', async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => appendOnce(PUMP, [report('1')], NOON)),
    );
    expect(new Set(answers.map(([answer]) => JSON.stringify(answer, textOfPositions))).size).toBe(
      1,
    );
    expect(await stored(store)).toHaveLength(1);
  });

  it('is refused to all but one of those who say different things under it at once', async () => {
    // The store takes the same id at the same place for a repeat: both were answered as recorded.
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    const contents = Array.from({ length: 5 }, (_, index) => `content ${index}`);
    const answers = await Promise.all(
      contents.map((content) => appendOnce(PUMP, [report('1', content)], NOON)),
    );
    expect(answers.flat().filter((answer) => 'eventId' in answer)).toHaveLength(1);
    expect(answers.flat().filter((answer) => 'refused' in answer)).toEqual(
      Array.from({ length: 4 }, () => refuse('IDEMPOTENCY_KEY_REUSED')),
    );
    const [standing] = await collect(store.read(telemetryStream(PUMP, NOON)));
    const won = answers.findIndex(([answer]) => answer !== undefined && 'eventId' in answer);
    expect(standing?.metadata.commandHash).toBe(contents[won]);
  });

  it('is refused where another’s stands, within batches that come at once', async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    const [one, other] = await Promise.all([
      appendOnce(PUMP, [report('1', 'one'), report('2')], NOON),
      appendOnce(PUMP, [report('1', 'other'), report('2')], NOON),
    ]);
    expect(one).toMatchObject([{ eventId: report('1').id }, { eventId: report('2').id }]);
    expect(other).toMatchObject([
      refuse('IDEMPOTENCY_KEY_REUSED'),
      { eventId: report('2').id, position: await store.head() },
    ]);
  });

  it('stands once when batches that overlap come at once', async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    await Promise.all([
      appendOnce(PUMP, reports(1, 6), NOON),
      appendOnce(PUMP, reports(4, 6), NOON),
      appendOnce(PUMP, reports(2, 3), NOON),
    ]);
    expect((await stored(store)).sort()).toEqual(
      reports(1, 9)
        .map(({ id }) => id)
        .sort(),
    );
  });

  it('stands once when its answer was lost', async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    const forgetful: EventStore = {
      ...store,
      async append(...append) {
        await store.append(...append);
        throw new StoreUnavailable('unreachable', 'the answer is lost');
      },
    };
    await expect(appender(forgetful)(PUMP, [report('1')], NOON)).rejects.toThrow(StoreUnavailable);
    expect(await appendOnce(PUMP, [report('1')], NOON)).toMatchObject([
      { eventId: report('1').id },
    ]);
    expect(await stored(store)).toHaveLength(1);
  });

  it('is known from yesterday’s stream, and not from the day before', async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    const [first] = await appendOnce(PUMP, [report('1')], MIDNIGHT - 1);
    expect(await appendOnce(PUMP, [report('1')], MIDNIGHT)).toEqual([first]);
    expect(await appendOnce(PUMP, [report('1')], MIDNIGHT + DAY_MS - 1)).toEqual([first]);
    expect(await stored(store, MIDNIGHT)).toEqual([]);
    const [late] = await appendOnce(PUMP, [report('1')], MIDNIGHT + DAY_MS);
    expect(late).not.toEqual(first);
  });

  it(`is known among the last ${ONCE_WINDOW} reports, and no further back`, async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    const [first] = await appendOnce(PUMP, [report('1')], MIDNIGHT - 1);
    await appendOnce(PUMP, reports(100, 400), MIDNIGHT - 1);
    await appendOnce(PUMP, reports(500, ONCE_WINDOW - 401), NOON);
    expect(await appendOnce(PUMP, [report('1')], NOON)).toEqual([first]);
    await appendOnce(PUMP, [report('2')], NOON);
    const [again] = await appendOnce(PUMP, [report('1')], NOON);
    expect(again).not.toEqual(first);
  });

  it('is known among the last of today, whatever a clock that is behind adds to yesterday', async () => {
    const store = openMemoryEventStore();
    const appendOnce = appender(store, { window: 6, ids: 8, devices: 1, newer: 4 });
    const late = () => store.append(telemetryStream(PUMP, NOON - DAY_MS), someEvents(3), 'any');
    const [first] = await appendOnce(PUMP, [report('1')], NOON);
    await appendOnce(PUMP, reports(2, 3), NOON);
    await late();
    await appendOnce(PUMP, [report('5')], NOON);
    await late();
    expect(await appendOnce(PUMP, [report('1')], NOON)).toEqual([first]);
  });

  it('leaves what was refused where it stood', async () => {
    const refused: Decided = { ...report('1'), event: refuse('TIME_IN_FUTURE') };
    const store = openMemoryEventStore();
    const appendOnce = appender(store);
    expect(await appendOnce(PUMP, [refused, report('2'), refused], NOON)).toEqual([
      refuse('TIME_IN_FUTURE'),
      expect.objectContaining({ eventId: report('2').id }),
      refuse('TIME_IN_FUTURE'),
    ]);
    expect(await appendOnce(PUMP, [refused], NOON)).toEqual([refuse('TIME_IN_FUTURE')]);
  });

  it('is given up when somebody else is always faster', async () => {
    const store: EventStore = {
      ...openMemoryEventStore(),
      append: (stream, _events, expected) =>
        Promise.reject(new WrongRevision(stream, expected, undefined)),
    };
    const refused: Decided = { ...report('1'), event: refuse('TIME_IN_FUTURE') };
    expect(await appender(store)(PUMP, [refused, report('2')], NOON)).toEqual([
      refuse('TIME_IN_FUTURE'),
      refuse('TOO_MUCH_CONTENTION'),
    ]);
  });
});

const textOfPositions = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? value.toString() : value;
