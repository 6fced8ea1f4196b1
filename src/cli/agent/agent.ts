import type { Runtime } from '../../runtime.js';
import { messageOf } from '../errors.js';
import { backoffMs } from '../retry.js';
import { deliverOldest, type Delivery, type DeliverDeps } from './deliver.js';
import { heartbeatEntry, lossEntry, observedEntry } from './entries.js';
import { diskRemarks, onChange } from './remarks.js';
import { LINES_LOST, type Observed, type Remark, type Source } from './source.js';
import type { Vitals } from './vitals.js';

export interface AgentDeps extends DeliverDeps {
  readonly runtime: Runtime;
  readonly sources: readonly Source[];
  readonly vitals: () => Vitals;
  readonly remark: Remark;
  readonly version: string;
}

export interface Agent {
  /** Takes the machine's vitals into the spool. */
  beat(): void;
  /**
   * Takes what the sources have to tell into the spool, a bounded piece of each; true when one of
   * them is behind and there is room for more.
   */
  observe(): boolean;
  /** Sends until the spool is empty or an attempt fails; true when it is empty. */
  flush(signal: AbortSignal): Promise<boolean>;
  /** Does all three, each at its pace, until the signal aborts. */
  run(intervalMs: number, signal: AbortSignal): Promise<void>;
}

const OBSERVE_MS = 500;

/** 100 requests a minute: the server allows a device 120. */
const SEND_MS = 600;

/**
 * The agent: everything goes through the spool, also while the server is there, so that there is
 * one way and one order in which a thing is told, and none in which it is told twice.
 */
export function agentOf(deps: AgentDeps): Agent {
  const { runtime, spool, sources, remark } = deps;
  const say = onChange(remark);
  const disk = diskRemarks(say);
  /** Sources of which a part of what they gave did not fit. */
  const waiting = new Set<Source>();
  /** Notes the last answer, as long as the disk refuses it. */
  let noteAgain: (() => Delivery) | undefined;

  /** Into the spool, if the disk lets it: an agent that dies of a full disk could not tell of it. */
  function keep(purpose: string, take: () => void): boolean {
    try {
      take();
    } catch (error) {
      disk.refuses(purpose, error);
      return false;
    }
    disk.takes(purpose);
    return true;
  }

  function beat(): void {
    keep('heartbeats', () => spool.append([heartbeatEntry(runtime, deps.vitals(), deps.version)]));
  }

  function observe(): boolean {
    return sources.filter(observeOne).length > 0 && spool.hasRoom;
  }

  /** True when there is more to be read at once. */
  function observeOne(source: Source): boolean {
    // What a source is behind with waits there: a spool that is filled with it drops the oldest.
    if ((source.isBehind || waiting.has(source)) && !spool.hasRoom) return true;
    const observed = readOf(source);
    if (observed.length === 0) return false;
    const entries = observed.map((one) => observedEntry(runtime, source.name, one));
    const fitting = spool.fitting(entries);
    // The others are given again after the cursor of the last that was kept.
    if (fitting.length < entries.length) waiting.add(source);
    else waiting.delete(source);
    if (fitting.length === 0) return true;
    if (!keep(source.name, () => spool.append(fitting))) return false;
    for (const { event, message } of observed.slice(0, fitting.length)) {
      if (event === LINES_LOST) remark(`${source.name}: ${message}`);
    }
    return source.isBehind || waiting.has(source);
  }

  function readOf(source: Source): readonly Observed[] {
    try {
      const observed = source.read(spool.cursor(source.name));
      say(source.name, undefined);
      return observed;
    } catch (error) {
      say(source.name, `${source.name} can't be read: ${messageOf(error)}`);
      return [];
    }
  }

  async function deliver(signal: AbortSignal): Promise<Delivery> {
    const delivery = noteAgain?.() ?? (await deliverOldest(deps, signal));
    noteAgain = delivery.kind === 'unnoted' ? delivery.again : undefined;
    if (delivery.kind === 'unnoted') {
      disk.refuses('answers', delivery.cause);
      return delivery;
    }
    disk.takes('answers');
    if (delivery.kind === 'sent') {
      say('server', undefined);
      for (const { status, code, detail } of delivery.rejected.slice(0, 1)) {
        say(
          'rejected',
          `the server refused a line for good: ${status} ${code ?? ''} ${detail ?? ''}`,
        );
      }
      const loss = lossEntry(runtime, spool);
      if (loss !== null) keep('losses', () => spool.append([loss]));
    } else if (delivery.kind === 'revoked') {
      say('server', `the token is no longer good (${delivery.cause.message}); keeping on disk`);
    } else {
      say('server', `the server can't be reached (${described(delivery.cause)}); keeping on disk`);
    }
    return delivery;
  }

  async function flush(signal: AbortSignal): Promise<boolean> {
    while (!spool.isEmpty && !signal.aborted) {
      if ((await deliver(signal)).kind !== 'sent') return false;
    }
    return spool.isEmpty;
  }

  async function every(ms: number, signal: AbortSignal, work: () => void): Promise<void> {
    for (let due = runtime.monotonic(); !signal.aborted;) {
      work();
      // Beats that were missed, as by a machine that slept, are not made up for.
      due = Math.max(due + ms, runtime.monotonic());
      await runtime.sleep(due - runtime.monotonic(), signal);
    }
  }

  async function observing(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // What is behind is made up for at once, with a turn for everything else after each piece.
      await (observe() ? runtime.yield() : runtime.sleep(OBSERVE_MS, signal));
    }
  }

  async function sending(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const delivery = spool.isEmpty ? null : await deliver(signal).catch(onlyAborts(signal));
      failures = delivery === null || delivery.kind === 'sent' ? 0 : failures + 1;
      const cause = delivery === null || delivery.kind === 'sent' ? undefined : delivery.cause;
      await runtime.sleep(failures > 0 ? backoffMs(runtime, failures, cause) : SEND_MS, signal);
    }
  }

  return {
    beat,
    observe,
    flush,
    run: async (intervalMs, signal) => {
      const broken = new AbortController();
      const end = AbortSignal.any([signal, broken.signal]);
      try {
        await Promise.all([every(intervalMs, end, beat), observing(end), sending(end)]);
      } finally {
        // Where one of them throws, the others must not go on alone.
        broken.abort();
      }
    },
  };
}

/** A request that the end has cut off is no failure. */
function onlyAborts(signal: AbortSignal) {
  return (error: unknown): null => {
    if (signal.aborted) return null;
    throw error;
  };
}

function described(cause: unknown): string {
  return cause instanceof Error ? cause.message : JSON.stringify(cause);
}
