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
  type Settle,
} from '../batch.js';
import type { RouteDeps } from '../deps.js';
import { Problem } from '../problem.js';
import { route, type Call, type Caller, type Route } from '../route.js';
import { HeartbeatBody, LogBody, object, optional } from '../schemas.js';
import { toTelemetry, type TelemetryBody } from '../telemetryBody.js';
import { checkBody, type Check } from '../validate.js';

/** The most lines of one batch. */
const MAX_LINES = 10_000;

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
  /** Settles each line by way of its device, whose lines keep their order. */
  async function run(
    { caller }: Pick<Call, 'caller'>,
    batches: AsyncIterable<readonly BatchLine<IngestLine>[]>,
    settle: Settle,
  ) {
    // From its first named report on, a device's go together: a batch that comes again is looked for as a whole.
    const whole: Placed = new Map();
    for await (const lines of batches) {
      const placed: Placed = new Map();
      for (const line of lines) {
        const { deviceId = caller.kind === 'device' ? caller.deviceId : undefined } = line.body;
        if (deviceId === undefined) {
          settle(
            line.index,
            new Problem('VALIDATION_FAILED', { detail: 'deviceId must be given' }),
          );
          continue;
        }
        try {
          const report = toReport(deviceId, line);
          const named = report.origin.commandHash !== undefined || whole.has(deviceId);
          place(named ? whole : placed, deviceId, { report, line: line.index });
        } catch (error) {
          settle(line.index, faultOfLine(error));
        }
      }
      await reportAll(caller, [...placed], settle);
    }
    const devices = [...whole];
    // Some at a time: the answers to thousands at once would hold the event loop for as long.
    for (let from = 0; from < devices.length; from += LINES_AT_ONCE) {
      await reportAll(caller, devices.slice(from, from + LINES_AT_ONCE), settle);
    }
  }

  async function reportAll(
    caller: Caller,
    devices: readonly (readonly [string, readonly PlacedReport[]])[],
    settle: Settle,
  ) {
    await Promise.all(devices.map(([id, placed]) => reportOf(caller, id, placed, settle)));
  }

  /** Not async where nothing has to be waited for first, as what it calls (see commands/telemetry). */
  function reportOf(
    caller: Caller,
    deviceId: string,
    placed: readonly PlacedReport[],
    settle: Settle,
  ): Promise<void> {
    const fail = (error: unknown) => {
      const fault = faultOfLine(error);
      for (const { line } of placed) settle(line, fault);
    };
    const run = () =>
      report(
        deviceId,
        placed.map((one) => one.report),
      ).then((answers) => {
        placed.forEach(({ line }, nth) => {
          settle(line, answers[nth] ?? new Problem('INTERNAL'));
        });
      }, fail);
    try {
      const seen = access('device:report', caller, deviceId);
      return seen instanceof Promise ? seen.then(run, fail) : run();
    } catch (error) {
      fail(error);
      return Promise.resolve();
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

/** A line's report, and the line's index. */
interface PlacedReport {
  readonly report: Report;
  readonly line: number;
}

/** Reports by device, in the order of their lines. */
type Placed = Map<string, PlacedReport[]>;

function place(placed: Placed, deviceId: string, report: PlacedReport): void {
  const others = placed.get(deviceId);
  if (others === undefined) placed.set(deviceId, [report]);
  else others.push(report);
}

const checkHeartbeat = checkBody(HeartbeatLine);
const checkLog = checkBody(LogEntryLine);

const checkLine: Check = (line) => {
  const kind = typeof line === 'object' && line !== null && 'kind' in line ? line.kind : undefined;
  if (kind === 'heartbeat') return checkHeartbeat(line);
  if (kind === 'log') return checkLog(line);
  return [{ at: '/kind', message: 'must be heartbeat or log' }];
};
