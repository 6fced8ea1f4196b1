import { spawn, type ChildProcess } from 'node:child_process';
import { once as nextOf } from 'node:events';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { mongoReadModels } from '../../src/adapters/mongodb/readModels.js';
import { openSqliteEventStore } from '../../src/adapters/sqlite/eventStore.js';
import { sqliteReadModels } from '../../src/adapters/sqlite/readModels.js';
import type { DomainEvent } from '../../src/events/catalog.js';
import type { EventStore } from '../../src/events/eventStore.js';
import type { ReadModels } from '../../src/projections/readModels.js';
import { projections } from '../../src/projections/registry.js';
import { foldedBy, inOrderOfKeys, newEvent, once, streamOf } from '../projections/documents.js';
import { allOf } from '../projections/running.js';
import { heartbeat, id, logged, registered } from '../spec/things.js';
import { eventually } from '../support/eventually.js';
import { collect } from '../support/logEvents.js';
import { temporaryDatabase } from '../support/mongodb.js';
import { ownMongodb, withOwnMongodb, type OwnMongodb } from '../support/mongodbServer.js';
import { temporaryFile, type TemporaryFile } from '../support/temporaryFile.js';
import { keepFigure } from './figures.js';

const CHILD = new URL('killedBetweenChild.mjs', import.meta.url).pathname;
/** After so many writes of documents each time: early and late in a commit, in the first one and in later ones. */
const KILLS = [1, 2, 3, 4, 5, 7, 9, 12];
/** In SQLite every statement that changes a row counts, and the first ones take the leases. */
const KILLS_SQLITE = KILLS.map((writes) => writes * 2 + 12);
const NEVER = 1_000_000_000;
const DEVICES = 6;

describe('a process that dies between a write and the checkpoint', () => {
  let temporary: TemporaryFile;
  let log: EventStore;
  let told: number;
  let running: ChildProcess | undefined;

  beforeEach(async () => {
    temporary = temporaryFile('log.db');
    log = await openSqliteEventStore({ file: temporary.file, signals: createMemorySignals() });
    told = 0;
    for (let device = 0; device < DEVICES; device += 1) {
      await tell(registered({ deviceId: id(100 + device), name: `device ${device}` }));
    }
  });
  afterEach(async () => {
    running?.kill('SIGKILL');
    await log.stop();
    temporary.remove();
  });

  async function tell(event: DomainEvent): Promise<void> {
    // Each one twice: as an append whose answer was lost comes again, and is told of again.
    const again = told % 5 === 0 ? [newEvent(event, told)] : [];
    await log.append(streamOf(event), [newEvent(event, told), ...again], 'any');
    told += 1;
  }

  async function tellMore(): Promise<void> {
    for (let turn = 0; turn < 3 * DEVICES; turn += 1) {
      const deviceId = id(100 + (turn % DEVICES));
      const at = Date.UTC(2026, 2, 15) + told * 1_000;
      await tell(turn % 3 === 0 ? logged(at, { deviceId }) : heartbeat(at, { deviceId }));
    }
  }

  function start(place: { readonly file: string; readonly uri: string }, writes: number) {
    const args = [CHILD, temporary.file, place.file, place.uri, String(writes)];
    running = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    return running;
  }

  /** Tells more whenever it has folded what there is, until it dies. */
  async function dies(child: ChildProcess, reads: ReadModels): Promise<void> {
    const state = { gone: false };
    const exited = nextOf(child, 'exit').then(([, signal]) => {
      state.gone = true;
      expect(signal).toBe('SIGKILL');
    });
    while (!state.gone) {
      await tellMore();
      const head = await log.head();
      await eventually(
        async () => state.gone || (await reads.checkpoint('devices')) >= head || undefined,
        30_000,
      );
    }
    await exited;
  }

  /** Dies again and again, and is then let go on to the end. */
  async function expectAsReplayed(
    place: { readonly file: string; readonly uri: string },
    reads: ReadModels,
    kills: readonly number[],
  ): Promise<number> {
    for (const writes of kills) await dies(start(place, writes), reads);
    const last = start(place, NEVER);
    const head = await log.head();
    for (const { name } of projections) {
      await eventually(async () => (await reads.checkpoint(name)) >= head || undefined, 60_000);
    }
    const gone = nextOf(last, 'exit');
    last.kill('SIGKILL');
    await gone;
    const events = once(await collect(log.readAll()));
    let documents = 0;
    for (const projection of projections) {
      const kept = await allOf(reads, projection.collection.name);
      expect(kept).toEqual(inOrderOfKeys(foldedBy(projection, events)));
      documents += kept.length;
    }
    return documents;
  }

  const figure = (where: string, kills: readonly number[], documents: number) => {
    keepFigure(`killed-between-${where}`, {
      fault: `kill between a read model’s write and its checkpoint, and events told twice (${where} read models)`,
      criterion: 'read models equal a clean replay, document by document',
      measured: `${kills.length} kills, after ${kills.join(', ')} writes; ${told} events; ${documents} of ${documents} documents equal`,
      how: 'tests/faults/killedBetween.test.ts: a process that folds kills itself as soon as the store has acknowledged that many writes',
    });
  };

  it('has written nothing twice, in SQLite', async () => {
    const file = temporary.file.replace('log.db', 'read-models.db');
    const reads = sqliteReadModels(file);
    const documents = await expectAsReplayed({ file, uri: '' }, reads, KILLS_SQLITE);
    await reads.stop();
    figure('sqlite', KILLS_SQLITE, documents);
  }, 180_000);

  withOwnMongodb(() => {
    let server: OwnMongodb;

    beforeAll(async () => {
      server = await ownMongodb();
    });
    afterAll(() => server.remove());

    it('has written nothing twice, in MongoDB', async () => {
      const database = temporaryDatabase(server.uri);
      const uri = `mongodb://127.0.0.1:${server.port}/${database.name}?directConnection=true`;
      const reads = mongoReadModels(await database.connect({ access: 'read' }));
      const documents = await expectAsReplayed({ file: '', uri }, reads, KILLS);
      await database.drop();
      figure('mongodb', KILLS, documents);
    }, 180_000);
  });
});
