import { createHmac } from 'node:crypto';
import { Type } from 'typebox';
import type { Report } from '../../commands/telemetry/decided.js';
import type { DeviceReports, PlainReports } from '../../commands/telemetry/reportPlain.js';
import { Id, NamingLine } from '../../events/values.js';
import type { AccessCheck } from '../access.js';
import {
  batch,
  BatchAnswer,
  faultOfLine,
  lineOrigin,
  type BatchLine,
  type BatchRun,
  type LineOutcome,
  type Settle,
} from '../batch.js';
import type { RouteDeps } from '../deps.js';
import { MAX_LINES } from '../body.js';
import { Problem } from '../problem.js';
import { route, type Call, type Caller, type Route } from '../route.js';
import { HeartbeatBody, LogBody, object, optional } from '../schemas.js';
import { toTelemetry, type TelemetryBody } from '../telemetryBody.js';
import { checkBody, type Check } from '../validate.js';

/** Of so many devices named reports are looked for at once. */
const NAMED_AT_ONCE = 8;

const ofLine = {
  deviceId: optional(Id),
  /** The sender's own. */
  id: optional(NamingLine(100)),
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
    const running: Running = { caller, settle, whole: new Map(), late: new Map() };
    return {
      take: (lines) => reportAll(running, placedBy(running, lines)),
      async end() {
        const devices = [...running.whole];
        // A few at a time: each looks back through a thousand reports, which holds the event loop.
        for (let from = 0; from < devices.length; from += NAMED_AT_ONCE) {
          await runtime.yield();
          const some = devices.slice(from, from + NAMED_AT_ONCE);
          await Promise.all(some.map(([id, placed]) => reportApart(running, id, placed)));
        }
      },
    };
  }

  /** The reports of each device, but for those that go together at the end. */
  function placedBy(
    { caller, settle, whole }: Running,
    lines: readonly BatchLine<IngestLine>[],
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
  function reportAll(running: Running, devices: Placed): Promise<unknown> {
    const { caller, settle, late } = running;
    const ready: (DeviceReports & PlacedReports)[] = [];
    const apart: Promise<void>[] = [];
    for (const [deviceId, placed] of devices) {
      try {
        const found = late.has(deviceId) ? undefined : access('device:report', caller, deviceId);
        if (found === undefined || found instanceof Promise) {
          apart.push(reportApart(running, deviceId, placed, found));
        } else if (found.device === undefined) {
          throw new Problem('DEVICE_NOT_FOUND');
        } else {
          ready.push({ device: found.device, reports: placed.reports, lines: placed.lines });
        }
      } catch (error) {
        settleLines(placed.lines, faultOfLine(error), settle);
      }
    }
    const { left, answers } = reportPlain(ready);
    for (const place of left) {
      const one = ready[place];
      if (one !== undefined) apart.push(reportApart(running, one.device.deviceId, one));
    }
    const linesOf = ready.map(({ lines }) => lines);
    return Promise.all([settleAll(linesOf, answers, settle), ...apart]);
  }

  /**
   * One device's, by themselves and after those that are under way. What comes of it meanwhile may not
   * overtake them.
   * @param found the check of its access, if it is under way already
   */
  function reportApart(
    { caller, settle, late }: Running,
    deviceId: string,
    { reports, lines }: PlacedReports,
    found?: Promise<unknown>,
  ): Promise<void> {
    const before = late.get(deviceId);
    // It may fail while others are waited for.
    found?.catch(() => undefined);
    const run = async () => {
      try {
        await before;
        await (found ?? access('device:report', caller, deviceId));
        settleLines(lines, await report(deviceId, reports), settle);
      } catch (error) {
        settleLines(lines, faultOfLine(error), settle);
      } finally {
        if (late.get(deviceId) === over) late.delete(deviceId);
      }
    };
    const reported = run();
    const over = reported.catch(() => undefined);
    late.set(deviceId, over);
    return reported;
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

/** What a batch has come to so far. */
interface Running {
  readonly caller: Caller;
  readonly settle: Settle;
  /** From its first named report on, a device's go together: a batch that comes again is looked for as a whole. */
  readonly whole: Placed;
  /** Devices with reports under way that could be overtaken: each resolves when they are not any more. */
  readonly late: Map<string, Promise<void>>;
}

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
