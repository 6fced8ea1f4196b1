import type { EventStore } from '../../src/events/eventStore.js';

/** A log that a test has for itself, or shares with others that use other stream names. */
export interface LogUnderTest {
  /** Opens the log: the first time, and again after a `stop`. */
  open(): Promise<EventStore>;
  remove(): Promise<void> | void;
}

export type Setup = () => Promise<LogUnderTest>;

export interface OpenedLog {
  readonly log: LogUnderTest;
  readonly store: EventStore;
  /** Begins the names of this test's streams. */
  readonly own: string;
  /** The name of a stream that does not exist yet. */
  readonly stream: string;
}

let tests = 0;

/** Opens a log for each test; afterwards stops it, however often it was opened, and removes it. */
export function withLog(setup: Setup, opened: (log: OpenedLog) => void): void {
  let under: LogUnderTest;
  const stores: EventStore[] = [];

  async function open(): Promise<EventStore> {
    const store = await under.open();
    stores.push(store);
    return store;
  }

  beforeEach(async () => {
    under = await setup();
    const own = `contract${process.pid}x${++tests}-`;
    opened({ log: { ...under, open }, store: await open(), own, stream: `${own}a` });
  });

  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.stop()));
    await under.remove();
  });
}
