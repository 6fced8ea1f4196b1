import type { EventStore } from '../events/eventStore.js';
import type { Position } from '../events/envelope.js';
import type { Checkpoints } from '../queries/checkpoints.js';
import type { Runtime } from '../runtime.js';

export type Status = 'ok' | 'degraded' | 'down';

export interface Health {
  /** `degraded`: reads may be behind or a document is held back; `down`: it can't serve. */
  readonly status: Status;
  readonly uptimeSeconds: number;
  readonly timestamp: string;
  readonly dependencies: {
    readonly log: { readonly status: Status; readonly position: string | null };
    readonly readModels: {
      readonly status: Status;
      readonly projections: Readonly<Record<string, ProjectionHealth>>;
    };
    /** Where there is one: without it everything goes on, and processes share less. */
    readonly redis?: { readonly status: Status };
  };
}

interface ProjectionHealth {
  readonly status: Status;
  readonly position: string;
  /** Events that could not be folded, and hold back their documents. */
  readonly parked: number;
}

/** A projection that is behind for longer than this is worth an operator's look. */
const BEHIND_MS = 10_000;

export interface HealthDeps {
  readonly store: Pick<EventStore, 'head' | 'readAll'>;
  readonly checkpoints: Checkpoints;
  readonly runtime: Runtime;
  /** Whether Redis answers; undefined where there is none. */
  readonly redis?: (() => boolean) | undefined;
}

/** Asks the parts how they are, at most once a second however often it is asked itself. */
export function healthCheck({ store, checkpoints, runtime, redis }: HealthDeps) {
  const started = runtime.monotonic();
  let last: { readonly at: number; readonly health: Promise<Health> } | undefined;

  return function health(): Promise<Health> {
    const now = runtime.monotonic();
    if (last === undefined || now - last.at > 1_000) last = { at: now, health: look(now) };
    return last.health;
  };

  async function look(now: number): Promise<Health> {
    const head = await store.head().catch(() => undefined);
    const states = await checkpoints().catch(() => undefined);
    const projections: Record<string, ProjectionHealth> = {};
    for (const { name, checkpoint, parked } of states ?? []) {
      const late = head !== undefined && (await behindFor(checkpoint, head)) > BEHIND_MS;
      const status = late || parked > 0 ? 'degraded' : 'ok';
      projections[name] = { status, position: checkpoint.toString(), parked };
    }
    const degraded = Object.values(projections).some(({ status }) => status !== 'ok');
    const readModels = states === undefined ? 'down' : degraded ? 'degraded' : 'ok';
    const log = head === undefined ? 'down' : 'ok';
    const shared = redis?.() === false ? 'degraded' : 'ok';
    return {
      status: worst(log, readModels, shared),
      uptimeSeconds: Math.round((now - started) / 1_000),
      timestamp: new Date(runtime.now()).toISOString(),
      dependencies: {
        log: { status: log, position: head?.toString() ?? null },
        readModels: { status: readModels, projections },
        ...(redis && { redis: { status: shared } }),
      },
    };
  }

  /** For how long the first event that a projection has not folded has stood in the log. */
  async function behindFor(checkpoint: Position, head: Position): Promise<number> {
    if (checkpoint >= head) return 0;
    try {
      for await (const { time } of store.readAll({ from: checkpoint, limit: 1 })) {
        return runtime.now() - time;
      }
    } catch {
      // What is wrong with the log shows where its head is asked for.
    }
    return 0;
  }
}

function worst(...statuses: readonly Status[]): Status {
  const order = ['down', 'degraded', 'ok'] as const;
  return order.find((status) => statuses.includes(status)) ?? 'ok';
}
