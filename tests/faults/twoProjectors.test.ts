import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { openSqliteEventStore } from '../../src/adapters/sqlite/eventStore.js';
import { sqliteReadModels } from '../../src/adapters/sqlite/readModels.js';
import type { DomainEvent } from '../../src/events/catalog.js';
import type { EventStore } from '../../src/events/eventStore.js';
import type { ReadModels } from '../../src/projections/readModels.js';
import { projections } from '../../src/projections/registry.js';
import {
  foldedBy,
  inOrderOfKeys,
  newEvent,
  once as onceEach,
  streamOf,
} from '../projections/documents.js';
import { allOf } from '../projections/running.js';
import { heartbeat, id, logged, registered } from '../spec/things.js';
import { eventually } from '../support/eventually.js';
import { collect } from '../support/logEvents.js';
import { temporaryFile, type TemporaryFile } from '../support/temporaryFile.js';
import { keepFigure, ms, quantile } from './figures.js';

const CHILD = new URL('twoProjectorsChild.mjs', import.meta.url).pathname;
const SHARDS = 2;
const DEVICES = Array.from({ length: 12 }, (_, index) => id(100 + index));

/** What the work of a process that is gone may wait for another, in milliseconds. */
const TAKEN_OVER_MS = 10_000;

/** A process of its own that folds. */
interface Projector {
  readonly child: ChildProcess;
  /** The names of the leases of what it folds. */
  owns(): readonly string[];
}

/** Appends without a pause until it is told to stop. */
interface Load {
  readonly told: () => number;
  stop(): Promise<void>;
}

describe('two processes that fold one SQLite log', () => {
  let temporary: TemporaryFile;
  let readModels: string;
  let log: EventStore;
  let reads: ReadModels;
  let projectors: Projector[];
  let load: Load;

  beforeEach(async () => {
    temporary = temporaryFile('log.db');
    readModels = temporary.file.replace('log.db', 'read-models.db');
    log = await openSqliteEventStore({ file: temporary.file, signals: createMemorySignals() });
    reads = sqliteReadModels(readModels);
    projectors = [];
    load = append();
  });

  afterEach(async () => {
    await load.stop();
    await Promise.all(projectors.map((one) => end(one, 'SIGKILL')));
    await reads.stop();
    await log.stop();
    temporary.remove();
  });

  function start(): Projector {
    const args = [CHILD, temporary.file, readModels, String(SHARDS)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let owned: readonly string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as { msg?: string; shares?: readonly string[] };
      if (told.msg === 'folding') owned = told.shares ?? [];
    });
    const projector = { child, owns: () => owned };
    projectors.push(projector);
    return projector;
  }

  async function end(projector: Projector, signal: NodeJS.Signals): Promise<void> {
    projectors = projectors.filter((one) => one !== projector);
    const { child } = projector;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  function append(): Load {
    let told = 0;
    let stopped = false;
    async function on() {
      for (const deviceId of DEVICES) await tell(registered({ deviceId, name: deviceId }));
      while (!stopped) {
        const deviceId = DEVICES[told % DEVICES.length] ?? '';
        const at = Date.UTC(2026, 2, 15) + told * 1_000;
        await tell(told % 3 === 0 ? logged(at, { deviceId }) : heartbeat(at, { deviceId }));
      }
    }
    async function tell(event: DomainEvent) {
      await log.append(streamOf(event), [newEvent(event, told)], 'any');
      told += 1;
    }
    const ended = on();
    return {
      told: () => told,
      stop() {
        stopped = true;
        return ended;
      },
    };
  }

  const toldMore = (count: number) => {
    const from = load.told();
    return eventually(() => load.told() >= from + count || undefined, 30_000);
  };

  /** Resolves when queries see all that was appended when it was called. */
  async function caughtUp(): Promise<void> {
    const head = await log.head();
    await eventually(async () => {
      const reached = await Promise.all(projections.map(({ name }) => reads.checkpoint(name)));
      return reached.every((position) => position >= head) || undefined;
    }, TAKEN_OVER_MS);
  }

  async function expectAsReplayed(): Promise<void> {
    const told = onceEach(await collect(log.readAll()));
    for (const projection of projections) {
      expect(await allOf(reads, projection.collection.name)).toEqual(
        inOrderOfKeys(foldedBy(projection, told)),
      );
    }
  }

  it('take over from one that is killed under load, twenty times', async () => {
    const took: number[] = [];
    start();
    start();
    for (let seed = 1; seed <= 20; seed += 1) {
      const owner = await eventually(() => {
        const owners = projectors.filter((one) => one.owns().length > 0);
        return owners[(seed * 7) % owners.length];
      });
      await toldMore((seed * 2_654_435_761) % 150);
      await end(owner, 'SIGKILL');
      const killedAt = performance.now();
      await caughtUp();
      took.push(Math.round(performance.now() - killedAt));
      start();
    }
    await load.stop();
    await caughtUp();
    await expectAsReplayed();
    expect(Math.max(...took)).toBeLessThan(TAKEN_OVER_MS);
    keepFigure('takeover-embedded', {
      fault: '`kill -9` of one of two processes that fold (SQLite read models)',
      criterion: 'taken over within 10 s; read models equal a clean replay',
      measured: `${took.length} kills under ${load.told()} appends: taken over after ${ms(quantile(took, 0.5))} (median), ${ms(Math.max(...took))} (worst); all documents equal`,
      how: 'tests/faults/twoProjectors.test.ts: from the kill until queries see all that was in the log then',
    });
  }, 240_000);

  it('leave nothing to wait for to one that is started after all were killed', async () => {
    const killed = start();
    await eventually(() => killed.owns().length > 0 || undefined);
    await toldMore(100);
    await end(killed, 'SIGKILL');
    await load.stop();
    const startedAt = performance.now();
    start();
    await caughtUp();
    // Less than the leases of the one that was killed would have held, with its start.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await expectAsReplayed();
  });

  it('take over from one that stands still, whose writes are refused when it goes on', async () => {
    const zombie = start();
    await eventually(() => zombie.owns().length === SHARDS * projections.length || undefined);
    await toldMore(100);
    zombie.child.kill('SIGSTOP');
    const heir = start();
    await caughtUp();
    await eventually(() => heir.owns().length === SHARDS * projections.length || undefined);
    await toldMore(100);
    zombie.child.kill('SIGCONT');
    await eventually(() => heir.owns().length === zombie.owns().length || undefined, 30_000);
    await toldMore(100);
    await load.stop();
    await caughtUp();
    await expectAsReplayed();
    keepFigure('zombie', {
      fault:
        'a process that folds stands still (SIGSTOP) until another has its leases, and then goes on',
      criterion: 'what it writes is refused; read models equal a clean replay',
      measured: `${load.told()} appends, ${SHARDS * projections.length} shares, all taken over and half of them given back: all documents equal`,
      how: 'tests/faults/twoProjectors.test.ts; that a write under an old lease is refused is in the contract of read models, for every store',
    });
    await Promise.all([end(zombie, 'SIGTERM'), end(heir, 'SIGTERM')]);
  }, 120_000);
});
