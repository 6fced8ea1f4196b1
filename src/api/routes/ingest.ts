import { createHmac } from 'node:crypto';
import { Type } from 'typebox';
import type { Report } from '../../commands/telemetry/decided.js';
import type { DeviceReports, PlainReports } from '../../commands/telemetry/reportPlain.js';
import { Id, Line } from '../../events/values.js';
import type { AccessCheck } from '../access.js';
import {
  batch,
  BatchAnswer,
  faultOfLine,
  lineOrigin,
  LINES_AT_ONCE,
  type BatchLine,
  type BatchRun,
  type LineOutcome,
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
  reportPlain,
  access,
  hashSecret,
}: IngestDeps): readonly Route[] {
  /** Settles each line by way of its device, whose lines keep their order. */
  function run({ caller }: Pick<Call, 'caller'>, settle: Settle): BatchRun<IngestLine> {
    // From its first named report on, a device's go together: a batch that comes again is looked for as a whole.
    const whole: Placed = new Map();
    const late: Late = new Map();
    return {
      take: (lines) => reportAll(caller, placedBy(caller, lines, whole, settle), late, settle),
      async end() {
        const devices = [...whole];
        // Some at a time: the answers to thousands at once would hold the event loop for as long.
        for (let from = 0; from < devices.length; from += LINES_AT_ONCE) {
          await reportAll(caller, devices.slice(from, from + LINES_AT_ONCE), late, settle);
        }
      },
    };
  }

  /** The reports of each device, but for those that go to `whole`. */
  function placedBy(
    caller: Caller,
    lines: readonly BatchLine<IngestLine>[],
    whole: Placed,
    settle: Settle,
  ): Placed {
    const placed: Placed = new Map();
    for (const line of lines) {
      const { deviceId = caller.kind === 'device' ? caller.deviceId : undefined } = line.body;
      if (deviceId === undefined) {
        settle(line.index, new Problem('VALIDATION_FAILED', { detail: 'deviceId must be given' }));
        continue;
      }
      try {
        const report = toReport(deviceId, line);
        const named = report.origin.commandHash !== undefined || whole.has(deviceId);
        place(named ? whole : placed, deviceId, report, line.index);
      } catch (error) {
        settle(line.index, faultOfLine(error));
      }
    }
    return placed;
  }

  /**
   * Not async, and of a report no more is kept than its line: a batch holds thousands, which stay in
   * memory until they are durable.
   */
  function reportAll(
    caller: Caller,
    devices: Iterable<readonly [string, PlacedReports]>,
    late: Late,
    settle: Settle,
  ): Promise<unknown> {
    const ready: DeviceReports[] = [];
    const linesOf: (readonly number[])[] = [];
    const apart: Promise<void>[] = [];
    for (const [deviceId, { reports, lines }] of devices) {
      try {
        const found = access('device:report', caller, deviceId);
        const before = late.get(deviceId);
        if (before !== undefined || found instanceof Promise) {
          const after = Promise.all([found, before]);
          apart.push(reportApart(deviceId, reports, lines, after, late, settle));
        } else if (found.device !== undefined) {
          ready.push({ device: found.device, reports });
          linesOf.push(lines);
        }
      } catch (error) {
        settleLines(lines, faultOfLine(error), settle);
      }
    }
    const { left, answers } = reportPlain(ready);
    for (const place of left) {
      const [one, lines] = [ready[place], linesOf[place]];
      if (one === undefined || lines === undefined) continue;
      const { device, reports } = one;
      apart.push(reportApart(device.deviceId, reports, lines, undefined, late, settle));
    }
    return Promise.all([settleAll(linesOf, answers, settle), ...apart]);
  }

  /** One device's, by themselves. What comes of it meanwhile may not overtake them. */
  function reportApart(
    deviceId: string,
    reports: readonly Report[],
    lines: readonly number[],
    after: Promise<unknown> | undefined,
    late: Late,
    settle: Settle,
  ): Promise<void> {
    const run = async () => {
      try {
        await after;
        settleLines(lines, await report(deviceId, reports), settle);
      } catch (error) {
        settleLines(lines, faultOfLine(error), settle);
      } finally {
        if (late.get(deviceId) === running) late.delete(deviceId);
      }
    };
    const running = run();
    late.set(deviceId, running);
    return running;
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

/** A device's reports in the order of their lines, and which lines these are. */
interface PlacedReports {
  readonly reports: Report[];
  readonly lines: number[];
}

type Placed = Map<string, PlacedReports>;

function place(placed: Placed, deviceId: string, report: Report, line: number): void {
  const others = placed.get(deviceId);
  if (others === undefined) {
    placed.set(deviceId, { reports: [report], lines: [line] });
    return;
  }
  others.reports.push(report);
  others.lines.push(line);
}

/** Devices with reports under way that could be overtaken. */
type Late = Map<string, Promise<void>>;

function settleLines(
  lines: readonly number[],
  answers: Problem | readonly LineOutcome[],
  settle: Settle,
): void {
  lines.forEach((line, nth) => {
    settle(line, answers instanceof Problem ? answers : (answers[nth] ?? new Problem('INTERNAL')));
  });
}

async function settleAll(
  linesOf: readonly (readonly number[])[],
  answers: PlainReports['answers'],
  settle: Settle,
): Promise<void> {
  const answersOf = await answers;
  linesOf.forEach((lines, nth) => {
    const answer = answersOf[nth];
    if (answer === undefined) return;
    settleLines(lines, answer instanceof Error ? faultOfLine(answer) : answer, settle);
  });
}

const checkHeartbeat = checkBody(HeartbeatLine);
const checkLog = checkBody(LogEntryLine);

const checkLine: Check = (line) => {
  const kind = typeof line === 'object' && line !== null && 'kind' in line ? line.kind : undefined;
  if (kind === 'heartbeat') return checkHeartbeat(line);
  if (kind === 'log') return checkLog(line);
  return [{ at: '/kind', message: 'must be heartbeat or log' }];
};
