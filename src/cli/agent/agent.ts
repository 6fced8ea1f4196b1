import type { Runtime } from '../../runtime.js';
import { messageOf } from '../errors.js';
import { backoffMs } from '../retry.js';
import { deliverOldest, type Delivery, type DeliverDeps } from './deliver.js';
import { heartbeatEntry, lossEntry, observedEntry } from './entries.js';
import type { Remark, Source } from './source.js';
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
  /** Takes what the sources have to tell into the spool. */
  observe(): void;
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

  /** Into the spool, if the disk lets it: an agent that dies of a full disk could not tell of it. */
  function keep(take: () => void): void {
    try {
      take();
    } catch (error) {
      say('disk', `nothing can be kept: ${messageOf(error)}`);
      return;
    }
    say('disk', undefined);
  }

  const beat = () =>
    keep(() => spool.append([heartbeatEntry(runtime, deps.vitals(), deps.version)]));

  function observe(): void {
    for (const source of sources) {
      keep(() => {
        const observed = source.read(spool.cursor(source.name));
        spool.append(observed.map((one) => observedEntry(runtime, source.name, one)));
      });
    }
  }

  async function deliver(signal: AbortSignal): Promise<Delivery> {
    const delivery = await deliverOldest(deps, signal);
    if (delivery.kind === 'sent') {
      say('server', undefined);
      for (const { status, code, detail } of delivery.rejected.slice(0, 1)) {
        say(
          'rejected',
          `the server refused a line for good: ${status} ${code ?? ''} ${detail ?? ''}`,
        );
      }
      const loss = lossEntry(runtime, spool);
      if (loss !== null) keep(() => spool.append([loss]));
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
        await Promise.all([
          every(intervalMs, end, beat),
          every(OBSERVE_MS, end, observe),
          sending(end),
        ]);
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

/** Remarks a state only when it has changed; undefined is "well again". */
function onChange(remark: Remark) {
  const states = new Map<string, string>();
  return (topic: string, state: string | undefined): void => {
    if (states.get(topic) === state) return;
    remark(state ?? `${topic}: well again`);
    if (state === undefined) states.delete(topic);
    else states.set(topic, state);
  };
}
