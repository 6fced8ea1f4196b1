import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { EventLogReader } from '../../src/adapters/sqlite/eventStore.js';
import { AppendRejected, StoreUnavailable, WrongRevision } from '../../src/events/eventStore.js';
import type { Batch, EventStore, Expected } from '../../src/events/eventStore.js';

const CHILD = new URL('logProcessChild.mjs', import.meta.url);

/** Events that travel in one message. */
const READ_AHEAD = 200;

/** Another process that opens embedded logs, as this one sees it. */
export interface LogProcess {
  open(file: string): Promise<EventStore>;
  /** Opens it as a process does that never appends. */
  openReader(file: string): Promise<EventLogReader>;
  end(): Promise<void>;
}

type Call = (call: string, ...args: readonly unknown[]) => Promise<unknown>;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: Fault;
}

/** What is left of an error on its way; only the fields of its class are there. */
interface Fault {
  readonly name: string;
  readonly message: string;
  readonly reason: StoreUnavailable['reason'];
  readonly stream: string;
  readonly expected: Expected;
  readonly actual?: number;
}

export async function startLogProcess(): Promise<LogProcess> {
  // As structured clones, which hold what JSON can not: positions are bigints.
  const child = fork(CHILD, { serialization: 'advanced' });
  const waiting = new Map<number, (answer: Answer) => void>();
  let numbers = 0;
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  child.on('exit', () => {
    const error = { name: 'Error', message: 'the other process has ended' } as Fault;
    for (const [id, answer] of waiting) answer({ id, error });
  });

  async function call(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const id = (numbers += 1);
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    child.send({ id, call: name, args });
    const { value, error } = await answered;
    if (error !== undefined) throw asThrown(error);
    return value;
  }

  async function open(file: string, access: 'read' | 'append'): Promise<EventStore> {
    const store = (numbers += 1);
    await call('open', store, file, access);
    return storeBy(
      (name, ...args) => call(name, store, ...args),
      () => (numbers += 1),
    );
  }

  await once(child, 'message');
  return {
    open: (file) => open(file, 'append'),
    openReader: (file) => open(file, 'read'),
    async end() {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

function storeBy(call: Call, newNumber: () => number): EventStore {
  // What comes back is what the port promises, by way of another process.
  return {
    append: (...append) => call('append', ...append) as ReturnType<EventStore['append']>,
    async appendEach(appends) {
      const answers = (await call('appendEach', appends)) as readonly Omit<Answer, 'id'>[];
      return answers.map(({ value, error }) =>
        error === undefined ? value : asThrown(error),
      ) as Awaited<ReturnType<EventStore['appendEach']>>;
    },
    head: () => call('head') as ReturnType<EventStore['head']>,
    stop: () => call('stop') as Promise<void>,
    read: (...args) => items(call, newNumber(), READ_AHEAD, ['begin', 'read', args]),
    readAll: (...args) => items(call, newNumber(), READ_AHEAD, ['begin', 'readAll', args]),
    async *subscribe({ signal, ...options }) {
      const number = newNumber();
      const abort = () => void call('abort', number);
      const batches = items<Batch>(call, number, 1, ['subscribe', options], () => {
        signal.addEventListener('abort', abort);
        if (signal.aborted) abort();
      });
      try {
        yield* batches;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
  };
}

async function* items<Item>(
  call: Call,
  number: number,
  most: number,
  [how, ...args]: readonly [string, ...unknown[]],
  begun: () => void = () => undefined,
): AsyncGenerator<Item> {
  await call(how, number, ...args);
  begun();
  try {
    for (;;) {
      const next = (await call('next', number, most)) as readonly Item[];
      yield* next;
      if (next.length < most) return;
    }
  } finally {
    await call('end', number);
  }
}

function asThrown({ name, message, ...fields }: Fault): Error {
  switch (name) {
    case 'WrongRevision':
      return new WrongRevision(fields.stream, fields.expected, fields.actual);
    case 'AppendRejected':
      return new AppendRejected(message);
    case 'StoreUnavailable':
      return new StoreUnavailable(fields.reason, message);
    default:
      return new Error(`${name}: ${message}`);
  }
}
