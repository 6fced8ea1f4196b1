import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { LimitName, Route } from './route.js';

/** What is measured of the API, for Prometheus. */
export interface Metrics {
  /** Counts and times one request; its labels come from the route, so that their number is bounded. */
  request(route: Pick<Route, 'method' | 'path'>, status: number, seconds: number): void;
  limited(limit: LimitName): void;
  /** The text that Prometheus reads, and its media type. */
  text(): Promise<{ readonly type: string; readonly text: string }>;
}

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export function metrics(): Metrics {
  const registry = new Registry();
  // By default it looks at the event loop every 10 ms, which costs a process that has nothing to do.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  const duration = new Histogram({
    name: 'fleetbook_http_request_duration_seconds',
    help: 'How long requests took, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers: [registry],
  });
  const limited = new Counter({
    name: 'fleetbook_rate_limited_total',
    help: 'Windows in which a caller ran into a limit.',
    labelNames: ['limit'],
    registers: [registry],
  });
  // Finding a series by its labels costs more than counting in it.
  const series = new Map<Pick<Route, 'method' | 'path'>, Map<number, Observed>>();

  return {
    request(route, status, seconds) {
      let statuses = series.get(route);
      if (statuses === undefined) {
        statuses = new Map<number, Observed>();
        series.set(route, statuses);
      }
      let observed = statuses.get(status);
      if (observed === undefined) {
        observed = duration.labels(route.method, route.path, String(status));
        statuses.set(status, observed);
      }
      observed.observe(seconds);
    },
    limited(limit) {
      limited.inc({ limit });
    },
    text: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}

interface Observed {
  observe(value: number): void;
}
