import fc from 'fast-check';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { START, type Position } from '../../src/events/envelope.js';
import type { Projected, Signal, Signals } from '../../src/projections/signals.js';
import type { Cache } from '../../src/queries/cache.js';
import type { CacheParts, Shown } from '../contracts/cache.fixture.js';
import { manualRuntime, type ManualRuntime } from '../support/manualRuntime.js';

/** What can happen, in any order. Numbers choose among what there is at that moment. */
export type Step =
  | { readonly do: 'write'; readonly key: number }
  /** A shard moves on without having written anything. */
  | { readonly do: 'idle'; readonly shard: number }
  | { readonly do: 'deliver' | 'lose'; readonly process: number; readonly which: number }
  | {
      readonly do: 'ask';
      readonly process: number;
      readonly key: number;
      readonly needs: 'nothing' | 'all';
    }
  /** A load under way takes its look at the store; one that has looked gives its answer. */
  | { readonly do: 'look' | 'finish'; readonly which: number }
  | { readonly do: 'wait' };

const KEYS = 3;
const small = fc.nat({ max: 7 });
const key = fc.nat({ max: KEYS - 1 });

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), key }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('idle' as const), shard: small }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('deliver' as const),
        process: small,
        which: fc.constant(0),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom('deliver' as const, 'lose' as const),
        process: small,
        which: small,
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('ask' as const),
        process: small,
        key,
        needs: fc.constantFrom('nothing' as const, 'nothing' as const, 'all' as const),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constantFrom('look' as const, 'finish' as const),
        which: small,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
  ),
  { maxLength: 80, size: 'max' },
);

interface Running {
  readonly key: number;
  seen: Shown | undefined;
  readonly give: (shown: Shown) => void;
}

interface Process {
  readonly signals: Signals;
  readonly cache: Cache;
  readonly underWay: Signal[];
  /** By key: the latest state that was answered. */
  readonly answered: Map<number, number>;
}

/**
 * Plays the steps to one or two processes with a cache each.
 * @param settled resolves when what a step has sent about has come back
 * @returns what was answered wrongly: older than what the same process had answered before the
 *   question was asked, or than what its reader needed
 */
export async function play(
  all: readonly Step[],
  { shards, processes: count }: { readonly shards: number; readonly processes: number },
  make: (parts: CacheParts, process: number) => Cache,
  settled: () => Promise<unknown> = async () => undefined,
): Promise<readonly string[]> {
  const runtime: ManualRuntime = manualRuntime();
  const wrong: string[] = [];
  const answers: Promise<void>[] = [];
  const running: Running[] = [];
  /** The state of a key is the position that wrote it. */
  const written = new Map<number, number>();
  const checkpoints = Array.from({ length: shards }, () => 0);
  let position = 0;
  const least = () => BigInt(Math.min(...checkpoints)) as Position;

  const processes = Array.from({ length: count }, (_, index): Process => {
    const signals = createMemorySignals();
    const reads = { checkpoint: async () => least() };
    return {
      signals,
      cache: make({ reads, signals, runtime }, index),
      underWay: [],
      answered: new Map(),
    };
  });

  function commit(shard: number, tags: readonly string[]) {
    position += 1;
    const from = BigInt(checkpoints[shard] ?? 0) as Position;
    const projected: Projected = {
      name: 'things',
      shard: { index: shard, of: shards },
      from,
      tags,
    };
    checkpoints[shard] = position;
    for (const { underWay } of processes) {
      underWay.push({
        kind: 'projected',
        projections: [projected],
        position: BigInt(position) as Position,
      });
    }
  }

  function ask(process: Process, asked: number, needs: Position) {
    const written_ = written.get(asked) ?? 0;
    const needed = BigInt(written_) <= needs ? written_ : 0;
    const atLeast = Math.max(process.answered.get(asked) ?? 0, needed);
    const question = {
      key: String(asked),
      reads: ['things'],
      ttlMs: 5_000,
      tags: () => ({ things: [`things/${asked}`] }),
      load: () =>
        new Promise<Shown>((give) => {
          running.push({ key: asked, seen: undefined, give });
        }),
    };
    answers.push(
      process.cache.answer(question, needs).then(({ value, cached }) => {
        const shown = value?.at ?? 0;
        if (shown < atLeast) wrong.push(`${cached}: ${asked} as of ${shown}, not ${atLeast}`);
        process.answered.set(asked, Math.max(process.answered.get(asked) ?? 0, shown));
      }),
    );
  }

  const look = (load: Running | undefined) => {
    if (load !== undefined) load.seen ??= { title: '', at: written.get(load.key) ?? 0 };
  };
  const finish = (load: Running | undefined) => {
    if (load?.seen === undefined) return;
    running.splice(running.indexOf(load), 1);
    load.give(load.seen);
  };

  for (const step of all) {
    switch (step.do) {
      case 'write':
        written.set(step.key, position + 1);
        commit(step.key % shards, [`things/${step.key}`]);
        break;
      case 'idle':
        commit(step.shard % shards, []);
        break;
      case 'deliver':
      case 'lose': {
        const process = processes[step.process % count];
        const [signal] = process?.underWay.splice(step.which, 1) ?? [];
        if (signal !== undefined && step.do === 'deliver') process?.signals.publish(signal);
        break;
      }
      case 'ask': {
        const process = processes[step.process % count];
        if (process !== undefined) ask(process, step.key, step.needs === 'all' ? least() : START);
        break;
      }
      case 'look':
        look(running[step.which % Math.max(1, running.length)]);
        break;
      case 'finish':
        finish(running[step.which % Math.max(1, running.length)]);
        break;
      case 'wait':
        await runtime.advance(500);
        break;
    }
    await settled();
    await runtime.yield();
  }

  const questions = { open: true };
  const ended = Promise.all(answers).then(() => {
    questions.open = false;
  });
  while (questions.open) {
    for (const load of [...running]) {
      look(load);
      finish(load);
    }
    await runtime.yield();
  }
  await ended;
  await Promise.all(processes.map(({ cache }) => cache.stop()));
  return wrong;
}
