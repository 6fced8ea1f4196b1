import { Worker, type WorkerOptions } from 'node:worker_threads';
import {
  isAppendFault,
  StoreUnavailable,
  WrongRevision,
  type AppendOutcome,
  type EventStore,
  type Expected,
  type StreamAppend,
} from '../../events/eventStore.js';
import type { Position } from '../../events/envelope.js';
import { appendText } from '../json/eventText.js';
import { THREAD_LIMITS } from '../threads/limits.js';
import { threadFile } from '../threads/threadFile.js';
import type { Outcome } from './logWriter.js';
import type { WriterAnswer, WriterMessage } from './logWriterThread.js';
import { appendPack, unpackOutcomes } from './packed.js';

/** The writer thread as the calling thread sees it. */
export interface LogWriterLink {
  append: EventStore['append'];
  appendEach: EventStore['appendEach'];
  /** Finishes what was accepted and ends the thread. */
  stop(): Promise<void>;
}

export interface LogWriterLinkOptions {
  readonly file: string;
  /** Called after each commit with the highest position that it wrote or repeated. */
  readonly onCommit: (position: Position) => void;
  /** Called when the thread has ended by itself: nothing can be appended any more. */
  readonly onLost?: (error: StoreUnavailable) => void;
  /** How the thread is started: a test keeps hold of it here. */
  readonly startThread?: (file: URL, options: WorkerOptions) => Worker;
}

/**
 * Events after which a message goes off before its turn of the event loop is over: the writer is at
 * work on it while this thread prepares the next. One that has nothing to do gets the first few.
 */
const MESSAGE_EVENTS = 64;
const FIRST_MESSAGE_EVENTS = 16;

interface Pending {
  readonly stream: string;
  readonly expected: Expected;
  readonly done: Done;
  /** Which of the appends of one call it is. */
  readonly nth: number;
}

/** Takes what became of an append of a call. */
type Done = (outcome: AppendOutcome, nth: number) => void;

/** Starts the writer thread; resolves when it has opened the file. */
export async function startLogWriter({
  file,
  onCommit,
  onLost = () => undefined,
  startThread = (url, options) => new Worker(url, options),
}: LogWriterLinkOptions): Promise<LogWriterLink> {
  const thread = startThread(threadFile(import.meta.url, './logWriterThread.js'), {
    workerData: { file },
    resourceLimits: THREAD_LIMITS,
  });
  const exited = new Promise((resolve) => thread.once('exit', resolve));
  /** Everything that has no answer yet, in the order in which answers come. */
  const pending: Pending[] = [];
  const unposted = appendPack();
  /** How many of what is pending the writer has. */
  let posted = 0;
  let answered: WriterAnswer[] = [];
  let ended: StoreUnavailable | undefined;
  let whenSettled: (() => void) | undefined;

  function post(): void {
    if (unposted.events() === 0) return;
    thread.postMessage(unposted.take() satisfies WriterMessage);
    posted = pending.length;
  }

  function settle(count: number, how: (pending: Pending, index: number) => void): void {
    posted -= count;
    pending.splice(0, count).forEach(how);
    if (pending.length === 0) whenSettled?.();
  }

  /**
   * Answers are given out once a turn. Node hands over messages as long as more arrive, and every
   * answer may bring forth an append and so another message: sockets would wait for the end of that.
   */
  function receive(answer: WriterAnswer): void {
    if (answered.push(answer) === 1) setImmediate(giveOut);
  }

  function giveOut(): void {
    const answers = answered;
    answered = [];
    for (const answer of answers) {
      if (answer.kind === 'committed') accept(unpackOutcomes(answer.outcomes));
      if (answer.kind === 'failed') {
        const fault = new StoreUnavailable(answer.reason, answer.message);
        settle(answer.count, ({ done, nth }) => done(fault, nth));
      }
    }
  }

  function accept(outcomes: readonly Outcome[]): void {
    let highest = 0;
    settle(outcomes.length, (one, index) => {
      const outcome = outcomes[index];
      if (outcome?.[0] === 'appended') highest = Math.max(highest, outcome[2]);
      one.done(outcomeOf(one, outcome), one.nth);
    });
    if (highest > 0) onCommit(BigInt(highest) as Position);
  }

  function end(error: StoreUnavailable): void {
    ended ??= error;
    unposted.take();
    giveOut();
    settle(pending.length, ({ done, nth }) => done(error, nth));
  }

  /** @throws AppendRejected, StoreUnavailable: then nothing of it was sent. */
  function send({ stream, events, expected }: StreamAppend, done: Done, nth: number): void {
    if (ended !== undefined) throw ended;
    const append = appendText(stream, events, expected);
    pending.push({ stream, expected, done, nth });
    // All requests that one turn of the event loop brings travel together.
    if (unposted.events() === 0) setImmediate(post);
    unposted.add(append);
    if (unposted.events() >= (posted === 0 ? FIRST_MESSAGE_EVENTS : MESSAGE_EVENTS)) post();
  }

  await new Promise<void>((resolve, reject) => {
    thread.on('message', (message: WriterAnswer) => {
      if (message.kind === 'ready') resolve();
      else receive(message);
    });
    thread.on('error', (cause) => {
      const error = lost(file, cause);
      end(error);
      reject(error);
    });
    thread.on('exit', () => {
      const error = lost(file);
      if (ended?.reason !== 'stopped') onLost(ended ?? error);
      end(error);
      reject(error);
    });
  });

  return {
    append: (stream, events, expected) =>
      new Promise((resolve, reject) => {
        const done: Done = (outcome) => {
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        };
        send({ stream, events, expected }, done, 0);
      }),

    appendEach: (appends) =>
      new Promise((resolve) => {
        if (appends.length === 0) resolve([]);
        const done = collecting(appends.length, resolve);
        appends.forEach((append, nth) => {
          try {
            send(append, done, nth);
          } catch (error) {
            if (!isAppendFault(error)) throw error;
            done(error, nth);
          }
        });
      }),

    async stop() {
      if (ended !== undefined) return;
      ended = new StoreUnavailable('stopped', 'the event store is stopped');
      post();
      if (pending.length > 0) {
        await new Promise<void>((resolve) => {
          whenSettled = resolve;
        });
      }
      thread.postMessage(null satisfies WriterMessage);
      await exited;
    },
  };
}

/** Takes the outcomes of so many appends. Not a closure over the appends: these need not wait in memory. */
function collecting(many: number, resolve: (outcomes: readonly AppendOutcome[]) => void): Done {
  const outcomes = new Array<AppendOutcome>(many);
  let missing = many;
  return (outcome, nth) => {
    outcomes[nth] = outcome;
    missing -= 1;
    if (missing === 0) resolve(outcomes);
  };
}

function outcomeOf({ stream, expected }: Pending, outcome: Outcome | undefined): AppendOutcome {
  if (outcome?.[0] === 'appended') {
    return { revision: outcome[1], position: BigInt(outcome[2]) as Position };
  }
  const actual = outcome?.[1] ?? -1;
  return new WrongRevision(stream, expected, actual < 0 ? undefined : actual);
}

function lost(file: string, cause?: unknown): StoreUnavailable {
  return new StoreUnavailable('unreachable', `${file}: the log's writer thread has ended`, {
    cause,
  });
}
