import type { Runtime } from '../../runtime.js';
import type { IngestLine } from '../telemetry.js';
import type { Observed } from './source.js';
import type { SourceCursor, Spool, SpoolEntry } from './spool.js';
import type { Vitals } from './vitals.js';

/** The spool's own losses are told like a source's lines: the cursor is how many have been told. */
const LOSSES = 'spool-losses';

/** How the machine is now. */
export function heartbeatEntry(runtime: Runtime, metrics: Vitals, firmware: string): SpoolEntry {
  return entry({ ...stamp(runtime), kind: 'heartbeat', metrics, firmware });
}

/** What a source has told. */
export function observedEntry(runtime: Runtime, source: string, observed: Observed): SpoolEntry {
  const { event, level, message, at, cursor } = observed;
  return entry(
    { ...stamp(runtime, at), kind: 'log', event, level, message, data: { source } },
    { source, at: cursor },
  );
}

/** What has been dropped and not been told yet; null when there is none. */
export function lossEntry(runtime: Runtime, spool: Spool): SpoolEntry | null {
  const lost = spool.dropped - Number(spool.cursor(LOSSES) ?? 0);
  if (lost <= 0) return null;
  return entry(
    {
      ...stamp(runtime),
      kind: 'log',
      event: 'spool-dropped',
      level: 'warn',
      message: `${lost} lines were dropped while the server was away: the spool was full`,
      value: lost,
    },
    { source: LOSSES, at: String(spool.dropped) },
  );
}

function stamp(runtime: Runtime, at = runtime.now()) {
  return { id: runtime.uuid(), time: new Date(at).toISOString() };
}

function entry(line: IngestLine, cursor?: SourceCursor): SpoolEntry {
  return { line: JSON.stringify(line), ...(cursor && { cursor }) };
}
