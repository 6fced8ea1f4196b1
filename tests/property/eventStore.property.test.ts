import fc from 'fast-check';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { openSqliteEventStore } from '../../src/adapters/sqlite/eventStore.js';
import {
  REPEAT_WINDOW,
  WrongRevision,
  type EventStore,
  type Expected,
} from '../../src/events/eventStore.js';
import { anEvent, collect, eventId, idsOf } from '../support/logEvents.js';
import { temporaryFile } from '../support/temporaryFile.js';

interface Append {
  readonly stream: string;
  readonly ids: readonly string[];
  readonly expected: Expected;
}

/** What the log is, in the fewest words. */
class Model {
  readonly log: { stream: string; id: string }[] = [];
  readonly appends: Append[] = [];

  ids(stream: string): string[] {
    return this.log.filter((event) => event.stream === stream).map(({ id }) => id);
  }

  /** The revision of the append's last event, or 'refused'. */
  append({ stream, ids, expected }: Append): number | 'refused' {
    const standing = this.ids(stream);
    const last = standing.length - 1;
    const stands = (first: number) =>
      first >= 0 && ids.every((id, index) => standing[first + index] === id);
    if (expected === 'any') {
      const oldest = Math.max(0, last - REPEAT_WINDOW + 1);
      for (let end = last; end >= oldest; end--) {
        if (stands(end - ids.length + 1)) return end;
      }
    }
    const believed = expected === 'any' ? last : expected === 'none' ? -1 : expected;
    if (believed < last && stands(believed + 1)) return believed + ids.length;
    if (believed !== last) return 'refused';
    this.log.push(...ids.map((id) => ({ stream, id })));
    return last + ids.length;
  }
}

interface Real {
  store: EventStore;
  reopen(): Promise<void>;
}

type Command = fc.AsyncCommand<Model, Real>;

const events = (ids: readonly string[]) => ids.map((id) => anEvent({ id }));

async function answerOf(store: EventStore, { stream, ids, expected }: Append) {
  try {
    return await store.append(stream, events(ids), expected);
  } catch (error) {
    if (error instanceof WrongRevision) return 'refused';
    throw error;
  }
}

/** Appends go off together, so that they share transactions; the log takes them in order. */
class AppendAll implements Command {
  constructor(readonly make: (model: Model) => readonly Append[]) {}
  check = () => true;
  async run(model: Model, { store }: Real) {
    const appends = this.make(model);
    model.appends.push(...appends);
    const wanted = appends.map((append) => model.append(append));
    const answers = await Promise.all(appends.map((append) => answerOf(store, append)));
    const all = await collect(store.readAll());
    for (const [index, answer] of answers.entries()) {
      if (answer === 'refused') expect(wanted[index]).toBe('refused');
      else {
        expect(answer.revision).toBe(wanted[index]);
        expect(all.find(({ position }) => position === answer.position)).toMatchObject({
          stream: appends[index]?.stream,
          id: appends[index]?.ids.at(-1),
          revision: answer.revision,
        });
      }
    }
  }
  toString = () => 'append';
}

class ReadStream implements Command {
  constructor(
    readonly stream: string,
    readonly from: number,
    readonly limit: number,
    readonly direction: 'forwards' | 'backwards',
  ) {}
  check = () => true;
  async run(model: Model, { store }: Real) {
    const { stream, from, limit, direction } = this;
    const all = model.ids(stream);
    const wanted = direction === 'forwards' ? all.slice(from) : all.slice(0, from + 1).reverse();
    const read = await collect(store.read(stream, { from, limit, direction }));
    expect(idsOf(read)).toEqual(wanted.slice(0, limit));
  }
  toString = () => `read ${this.stream} ${this.direction} from ${this.from}`;
}

class ReadAll implements Command {
  constructor(readonly prefix: string) {}
  check = () => true;
  async run(model: Model, { store }: Real) {
    const read = await collect(store.readAll({ streams: [this.prefix] }));
    expect(read.map(({ stream, id }) => ({ stream, id }))).toEqual(
      model.log.filter(({ stream }) => stream.startsWith(this.prefix)),
    );
    expect(read.map(({ stream, revision }) => [stream, revision])).toEqual(
      read.map(({ stream }, index) => [
        stream,
        read.slice(0, index).filter((event) => event.stream === stream).length,
      ]),
    );
  }
  toString = () => `read all of ${this.prefix}`;
}

class Reopen implements Command {
  check = () => true;
  run = (_: Model, real: Real) => real.reopen();
  toString = () => 'reopen';
}

let ids = 0;
const stream = fc.constantFrom('s-1', 's-2', 't-1');
const newAppend = fc
  .record({
    stream,
    size: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.constant(40)),
    /** How far beside the truth the writer's belief is; mostly not at all. */
    belief: fc.constantFrom<'any' | number>('any', 'any', 0, 0, 0, -1, 1, -3),
  })
  .map(({ stream: name, size, belief }) => (model: Model): Append => {
    const revision = model.ids(name).length - 1 + (belief === 'any' ? 0 : belief);
    return {
      stream: name,
      ids: Array.from({ length: size }, () => eventId(++ids + 2 ** 40)),
      expected: belief === 'any' ? 'any' : revision < 0 ? 'none' : revision,
    };
  });
const repeated = fc
  .record({ back: fc.nat(8), skip: fc.nat(1), drop: fc.nat(1), any: fc.boolean() })
  .map(({ back, skip, drop, any }) => (model: Model): Append | undefined => {
    const earlier = model.appends.at(-1 - back);
    if (!earlier) return undefined;
    // Mostly whole; now and then without its first or its last event.
    const part = earlier.ids.slice(skip, earlier.ids.length - drop);
    return {
      ...earlier,
      ids: part.length > 0 ? part : earlier.ids,
      expected: any ? 'any' : earlier.expected,
    };
  });

const commands = [
  fc
    .array(fc.oneof(newAppend, repeated), { minLength: 1, maxLength: 6 })
    .map((makers) => new AppendAll((model) => makers.flatMap((make) => make(model) ?? []))),
  // The same append twice in one transaction.
  newAppend.map(
    (make) =>
      new AppendAll((model) => {
        const append = make(model);
        return [append, append];
      }),
  ),
  fc
    .tuple(
      stream,
      fc.nat(12),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('forwards' as const, 'backwards' as const),
    )
    .map((given) => new ReadStream(...given)),
  fc.constantFrom('', 's-', 's-2', 't').map((prefix) => new ReadAll(prefix)),
  fc.constant(new Reopen()),
];

describe('the SQLite log', () => {
  it('does what the model does, whatever is asked of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (asked) => {
        const { file, remove } = temporaryFile('log.db');
        const options = { file, signals: createMemorySignals() };
        const real: Real = {
          store: await openSqliteEventStore(options),
          async reopen() {
            await real.store.stop();
            real.store = await openSqliteEventStore(options);
          },
        };
        try {
          await fc.asyncModelRun(() => ({ model: new Model(), real }), asked);
        } finally {
          await real.store.stop();
          remove();
        }
      }),
      { numRuns: 30 },
    );
    // A failure is shrunk before it is told.
  }, 120_000);
});
