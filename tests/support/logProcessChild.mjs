// Opens embedded logs for another process, which tells it what to do with them: see logProcess.ts.
import { createMemorySignals } from '../../dist/adapters/memory/signals.js';
import {
  openSqliteEventLogReader,
  openSqliteEventStore,
} from '../../dist/adapters/sqlite/eventStore.js';

const stores = new Map();
/** Reads and subscriptions that are under way, by the numbers that the other process gave them. */
const underWay = new Map();
const aborts = new Map();

const calls = {
  async open(store, file, access) {
    const open = access === 'read' ? openSqliteEventLogReader : openSqliteEventStore;
    stores.set(store, await open({ file, signals: createMemorySignals() }));
  },
  append: (store, ...append) => stores.get(store).append(...append),
  async appendEach(store, appends) {
    const outcomes = await stores.get(store).appendEach(appends);
    return outcomes.map((outcome) =>
      outcome instanceof Error ? { error: faultOf(outcome) } : { value: outcome },
    );
  },
  head: (store) => stores.get(store).head(),
  stop: (store) => stores.get(store).stop(),

  begin(store, number, method, args) {
    const items = stores.get(store)[method](...args);
    underWay.set(number, items[Symbol.asyncIterator]());
  },
  subscribe(store, number, options) {
    const aborting = new AbortController();
    aborts.set(number, aborting);
    const { signal } = aborting;
    calls.begin(store, number, 'subscribe', [{ ...options, signal }]);
  },
  abort: (_, number) => aborts.get(number)?.abort(),

  /** Up to so many of what comes next; fewer at the end. */
  async next(_, number, most) {
    const items = [];
    while (items.length < most) {
      const { done, value } = await underWay.get(number).next();
      if (done) break;
      items.push(value);
    }
    return items;
  },
  async end(_, number) {
    await underWay.get(number).return();
    underWay.delete(number);
    aborts.delete(number);
  },
};

process.on('message', async ({ id, call, args }) => {
  try {
    process.send({ id, value: await calls[call](...args) });
  } catch (error) {
    process.send({ id, error: faultOf(error) });
  }
});

/** A class does not travel: its name and its fields do. */
function faultOf(error) {
  return { ...error, name: error.name, message: error.message };
}

process.on('disconnect', () => process.exit());
process.send({ id: 0 });
