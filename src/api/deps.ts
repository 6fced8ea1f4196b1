import type { Handle } from '../commands/handle.js';
import type { States } from '../commands/states.js';
import type { ReportTelemetry } from '../commands/telemetry/report.js';
import type { ReportPlain } from '../commands/telemetry/reportPlain.js';
import type { Passwords } from '../commands/passwords.js';
import type { EventStore } from '../events/eventStore.js';
import type { Consistency } from '../queries/consistency.js';
import type { Queries } from '../queries/queries.js';
import type { Runtime } from '../runtime.js';
import type { Tokens } from './tokens.js';

/** What the routes are made of; each takes what it needs. */
export interface RouteDeps {
  readonly runtime: Runtime;
  readonly store: EventStore;
  readonly states: States;
  readonly handle: Handle;
  readonly report: ReportTelemetry;
  readonly reportPlain: ReportPlain;
  readonly queries: Queries;
  readonly consistency: Consistency;
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  readonly hashSecret: string;
  readonly refreshTokenTtlMs: number;
}
