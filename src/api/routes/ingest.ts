import { createHmac } from 'node:crypto';
import { Type } from 'typebox';
import type { Report } from '../../commands/telemetry/report.js';
import { Id, Line } from '../../events/values.js';
import type { AccessCheck } from '../access.js';
import {
  batch,
  BatchAnswer,
  faultOfLine,
  lineOrigin,
  LINES_AT_ONCE,
  type BatchLine,
  type LineOutcome,
} from '../batch.js';
import type { RouteDeps } from '../deps.js';
import { Problem } from '../problem.js';
import { route, type Call, type Caller, type Route } from '../route.js';
import { HeartbeatBody, LogBody, object, optional } from '../schemas.js';
import { toTelemetry, type TelemetryBody } from '../telemetryBody.js';
import { checkBody, type Check } from '../validate.js';

/** The most lines of one batch. */
const MAX_LINES = 10_000;
/** The most unnamed reports of one device that are decided upon in one go. */
const REPORTS_AT_ONCE = 500;

const ofLine = {
  deviceId: optional(Id),
  id: optional(Line(100)),
};
const HeartbeatLine = object({
  kind: Type.Literal('heartbeat'),
  ...ofLine,
  ...HeartbeatBody.properties,
});
const LogEntryLine = object({ kind: Type.Literal('log'), ...ofLine, ...LogBody.properties });

/** A line of a batch: a report, whose device it is of, and the sender's own id of it. */
type IngestLine = TelemetryBody & { readonly deviceId?: string; readonly id?: string };

export interface IngestDeps extends RouteDeps {
  readonly access: AccessCheck;
}

export function ingestRoutes({
  runtime,
  report,
  access,
  hashSecret,
}: IngestDeps): readonly Route[] {
  /** Gives each line its outcome, by way of its device. */
  async function run({ caller }: Pick<Call, 'caller'>, lines: readonly BatchLine<IngestLine>[]) {
    const outcomes: LineOutcome[] = [];
    const devices = new Map<string, Placed[]>();
    for (const [nth, line] of lines.entries()) {
      if (nth % LINES_AT_ONCE === LINES_AT_ONCE - 1) await runtime.yield();
      const deviceId =
        line.body.deviceId ?? (caller.kind === 'device' ? caller.deviceId : undefined);
      if (deviceId === undefined) {
        outcomes[nth] = new Problem('VALIDATION_FAILED', { detail: 'deviceId must be given' });
        continue;
      }
      try {
        const report = toReport(deviceId, line);
        const placed = devices.get(deviceId);
        if (placed === undefined) devices.set(deviceId, [{ report, nth }]);
        else placed.push({ report, nth });
      } catch (error) {
        outcomes[nth] = faultOfLine(error);
      }
    }

    // Some at a time: the answers to thousands at once would hold the event loop for as long.
    let reporting: Promise<void>[] = [];
    for (const [deviceId, placed] of devices) {
      reporting.push(reportAll(caller, deviceId, placed, outcomes));
      if (reporting.length < LINES_AT_ONCE) continue;
      await Promise.all(reporting);
      reporting = [];
    }
    await Promise.all(reporting);
    return outcomes;
  }

  async function reportAll(
    caller: Caller,
    deviceId: string,
    placed: readonly Placed[],
    outcomes: LineOutcome[],
  ) {
    // Named reports go together, so that a batch that comes again is looked for as a whole.
    const named = placed.some(({ report: { origin } }) => origin.commandHash !== undefined);
    const atOnce = named ? placed.length : REPORTS_AT_ONCE;
    for (let from = 0; from < placed.length; from += atOnce) {
      const some = placed.slice(from, from + atOnce);
      let answers: readonly LineOutcome[];
      try {
        await access('device:report', caller, deviceId);
        answers = await report(
          deviceId,
          some.map((one) => one.report),
        );
      } catch (error) {
        const fault = faultOfLine(error);
        answers = some.map(() => fault);
      }
      some.forEach(({ nth }, index) => {
        outcomes[nth] = answers[index] ?? new Problem('INTERNAL');
      });
    }
  }

  /** @throws Problem for a time that its schema can't tell is none, such as one before 1970 */
  function toReport(deviceId: string, { body, origin, index }: BatchLine<IngestLine>): Report {
    const telemetry = toTelemetry(body);
    if (body.id === undefined) return { telemetry, origin, index };
    const content = createHmac('sha256', hashSecret).update(JSON.stringify(telemetry));
    const named = lineOrigin(origin, deviceId, body.id, content.digest('base64url'));
    return { telemetry, origin: named, index: 0 };
  }

  return [
    route({
      method: 'post',
      path: '/api/ingest',
      summary: `Up to ${MAX_LINES} heartbeats and log lines of many devices; each is answered by itself.`,
      tag: 'Telemetry',
      access: 'line:report',
      limit: 'ingest',
      body: Type.Union([HeartbeatLine, LogEntryLine]),
      bodyKind: 'lines',
      answers: { 200: BatchAnswer },
      handle: batch<IngestLine, 'line:report'>({
        runtime,
        check: checkLine,
        maxLines: MAX_LINES,
        run,
      }),
    }),
  ];
}

/** A line's report and where in the batch's answer it stands. */
interface Placed {
  readonly report: Report;
  readonly nth: number;
}

const checkHeartbeat = checkBody(HeartbeatLine);
const checkLog = checkBody(LogEntryLine);

const checkLine: Check = (line) => {
  const kind = typeof line === 'object' && line !== null && 'kind' in line ? line.kind : undefined;
  if (kind === 'heartbeat') return checkHeartbeat(line);
  if (kind === 'log') return checkLog(line);
  return [{ at: '/kind', message: 'must be heartbeat or log' }];
};
