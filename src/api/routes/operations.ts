import { Type } from 'typebox';
import type { Health } from '../health.js';
import type { Metrics } from '../metrics.js';
import { route, type Route } from '../route.js';
import { object } from '../schemas.js';

const TAG = 'Operations';

export interface OperationsDeps {
  readonly health: () => Promise<Health>;
  /** Whether new work is taken: not before everything has started, nor once it is told to stop. */
  readonly ready: () => boolean;
  readonly metrics: Metrics;
  readonly document: () => object;
}

const Alive = object({ status: Type.Literal('ok') });
const AnyObject = Type.Record(Type.String(), Type.Unknown());

export function operationsRoutes(deps: OperationsDeps): readonly Route[] {
  return [
    route({
      method: 'get',
      path: '/health',
      summary: 'How the system and its parts are; 503 when it can’t serve.',
      tag: TAG,
      access: 'anyone',
      answers: { 200: AnyObject, 503: AnyObject },
      async handle() {
        const health = await deps.health();
        return { status: health.status === 'down' ? 503 : 200, body: health };
      },
    }),

    route({
      method: 'get',
      path: '/livez',
      summary: 'The process runs.',
      tag: TAG,
      access: 'anyone',
      answers: { 200: Alive },
      handle: () => ({ status: 200, body: { status: 'ok' } }),
    }),

    route({
      method: 'get',
      path: '/readyz',
      summary: 'The process takes requests; 503 before it has started and once it is stopping.',
      tag: TAG,
      access: 'anyone',
      answers: { 200: Alive, 503: object({ status: Type.Literal('stopping') }) },
      handle: () =>
        deps.ready()
          ? { status: 200, body: { status: 'ok' } }
          : { status: 503, body: { status: 'stopping' } },
    }),

    route({
      method: 'get',
      path: '/metrics/prometheus',
      summary: 'Request counts and times, for Prometheus.',
      tag: TAG,
      access: 'anyone',
      answers: { 200: Type.String() },
      async handle() {
        const { type, text } = await deps.metrics.text();
        return { status: 200, text, headers: { 'content-type': type } };
      },
    }),

    route({
      method: 'get',
      path: '/openapi.json',
      summary: 'This description.',
      tag: TAG,
      access: 'anyone',
      answers: { 200: AnyObject },
      handle: () => ({ status: 200, body: deps.document() }),
    }),
  ];
}
