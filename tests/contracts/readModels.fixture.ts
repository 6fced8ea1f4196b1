import { START, type Position } from '../../src/events/envelope.js';
import type {
  Collection,
  Doc,
  Find,
  Generation,
  ReadModels,
  ReadModelStore,
  Where,
  Write,
} from '../../src/projections/readModels.js';

/** Both sides of an empty store; each call of a side gives another connection to the same data. */
export interface ReadModelsUnderTest {
  store(): ReadModelStore;
  reads(): ReadModels;
  /** Stops every connection that was given out and removes the data. */
  stop(): Promise<void>;
}

export type Setup = () => Promise<ReadModelsUnderTest>;

/** What of the contract takes a size, where the whole of it would take a slow server too long. */
export interface Sizes {
  /** How many documents make a long list. */
  readonly longList: number;
}

export const SIZES: Sizes = { longList: 10_000 };

export interface Opened {
  readonly under: ReadModelsUnderTest;
  readonly store: ReadModelStore;
  readonly reads: ReadModels;
  /** The live generation of DEVICES, empty. */
  readonly devices: Generation;
}

export const at = (position: number | bigint) => BigInt(position) as Position;

export const ids = (docs: readonly Doc[]) => docs.map(({ id }) => id);

export const DEVICES: Collection = {
  name: 'devices',
  indexes: [
    { fields: ['org', 'name'] },
    { fields: ['org', 'seenAt'] },
    { fields: ['org', 'active', 'rank'] },
    { fields: ['rank'] },
    { fields: ['tags'] },
    { fields: ['words'] },
  ],
};

export const SPECIAL_TEXTS = [
  '',
  ' ',
  '%',
  '_',
  '*',
  '\\',
  '\\%',
  "'",
  '"',
  "'; DROP TABLE devices; --",
  '$ne',
  '{"$gt":""}',
  'a.b',
  'a\u0000b',
  'A',
  'a',
  'ä',
  'a\u0308',
  'ß',
  'ﬀ',
  '～',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '😀',
  '👩‍👩‍👧',
  '\u{10ffff}',
  'x'.repeat(2_000),
];

/** Documents by key, in the order of their keys. */
export const numbered = (count: number, doc: (i: number) => Doc) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => {
      const key = `k${String(i).padStart(5, '0')}`;
      return [key, { id: key, ...doc(i) }];
    }),
  );

/** Opens a fresh store before each test, hands it to `use`, and stops it afterwards. */
export function withReadModels(setup: Setup, use: (opened: Opened) => void) {
  let opened: Opened;
  let clock: number;

  beforeEach(async () => {
    const under = await setup();
    const store = under.store();
    const reads = under.reads();
    opened = { under, store, reads, devices: await store.open('devices', 1, DEVICES) };
    clock = 0;
    use(opened);
  });

  afterEach(() => opened.under.stop());

  async function commit(writes: readonly Write[], generation = opened.devices): Promise<void> {
    const last = writes.reduce((max, { position }) => (position > max ? position : max), START);
    await opened.store.commit([{ generation, writes, parked: [], checkpoint: last }]);
  }

  /** Writes documents by key, each at a position of its own. */
  async function put(docs: Readonly<Record<string, Doc | null>>): Promise<void> {
    await commit(Object.entries(docs).map(([key, doc]) => ({ key, doc, position: tick() })));
  }

  async function all(find: Omit<Find, 'cursor'>, between?: () => Promise<void>): Promise<Doc[]> {
    const items: Doc[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page = await opened.reads.find('devices', {
        ...find,
        ...(cursor === undefined ? {} : { cursor }),
      });
      expect(page.items.length).toBeLessThanOrEqual(find.limit);
      items.push(...page.items);
      cursor = page.nextCursor;
      await between?.();
    }
    return items;
  }

  const found = async (where: Where) => ids(await all({ where, limit: 200 }));

  /** The next position, later than those of all writes by `put`. */
  function tick(): Position {
    return at(++clock);
  }

  return { commit, put, all, found, tick };
}
