import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import cors from 'cors';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Logger } from 'pino';
import type { Runtime } from '../runtime.js';
import { classesAtBirth } from './classesAtBirth.js';
import { docsPage } from './docsPage.js';
import { requestIdOf } from './headers.js';
import type { Metrics } from './metrics.js';
import type { Asked, Performed } from './perform.js';
import { Problem } from './problem.js';
import { problemOf, sendAnswer, sendProblem } from './respond.js';
import type { Caller, Method, Route } from './route.js';
import { securityHeaders, type FlatHeaders } from './securityHeaders.js';
import { shortcuts } from './shortcuts.js';

export interface ServerDeps {
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly routes: readonly Route[];
  readonly perform: (route: Route) => (asked: Asked) => Promise<Performed>;
  readonly production: boolean;
  readonly allowedOrigins: readonly string[];
  readonly trustProxy: number | readonly string[];
  /** Whether the server is stopping: then no connection is kept for another request. */
  readonly stopping: () => boolean;
}

/** How long a client may take to send its headers, and the whole of a request. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 65_000;

/** The HTTP server with every route; it does not listen yet. */
export function makeServer(deps: ServerDeps): Server {
  const fixed = securityHeaders(deps.production);
  const serve = server({ ...deps, fixed });
  const served = new Map(deps.routes.map((route) => [route, serve(route, deps.perform(route))]));
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', deps.trustProxy);
  app.use(crossOrigin(deps.allowedOrigins));
  for (const [route, handle] of served) {
    app[route.method](route.path, (request, response) => {
      handle(request, response, request.params);
    });
  }
  app.use('/docs', setting(fixed), docsPage());
  refuseOtherMethods(app, deps.routes, serve);
  const refuse = (problem: Error) => serve(NOWHERE, () => Promise.reject(problem));
  app.use((request, response) => {
    refuse(new Problem('NOT_FOUND'))(request, response, {});
  });
  app.use(answerFault(refuse));

  const busy = shortcuts(deps.routes, (route) => served.get(route));
  const options = {
    ...classesAtBirth(app),
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 5_000,
  };
  const made = createServer(options, (request: Request, response: Response) => {
    const origin = request.headers.origin;
    const shortcut = origin === undefined ? busy(request.method, request.url) : undefined;
    if (shortcut?.handler === undefined) app(request, response);
    else shortcut.handler(request, response, shortcut.params);
  });
  made.maxRequestsPerSocket = 0;
  return made;
}

type Handle = (request: Request, response: Response, params: Asked['params']) => void;

/** What requests that match no route are counted as. */
const NOWHERE = { method: 'get' as const, path: 'nowhere' };

type Serve = (route: typeof NOWHERE | Route, perform: ReturnType<ServerDeps['perform']>) => Handle;

/** Makes of what is performed on a request its answer, its log line and its place in the metrics. */
function server(deps: ServerDeps & { readonly fixed: FlatHeaders }): Serve {
  const { runtime, metrics, log, fixed } = deps;

  /** Asked when there is an answer: a request may have come long before the server was told to stop. */
  function closeIfStopping(headers: string[]): void {
    if (deps.stopping() && !headers.includes('connection')) headers.push('connection', 'close');
  }

  return (route, perform) => {
    return (request, response, params) => {
      const began = runtime.monotonic();
      const ownId = runtime.uuid();
      const requestId = requestIdOf(request.headers) ?? ownId;
      const headers = [...fixed, 'x-request-id', requestId];
      void answer();

      async function answer() {
        let caller: Caller | undefined;
        let fault: unknown;
        try {
          const performed = await perform({ request, params, requestId, ownId, headers });
          ({ caller } = performed);
          closeIfStopping(headers);
          sendAnswer(response, performed.answer, headers);
        } catch (error) {
          const problem = problemOf(error);
          if (problem.status >= 500) fault = error;
          closeIfStopping(headers);
          sendProblem(response, problem, requestId, headers);
        }
        const ms = runtime.monotonic() - began;
        const status = response.statusCode;
        metrics.request(route, status, ms / 1_000);
        // The path as the route has it, and no query: what a caller writes into a URL stays out of the log.
        const line = {
          requestId,
          method: request.method,
          route: route.path,
          status,
          ms,
          ...known(caller),
        };
        if (fault === undefined) log.info(line, 'request');
        else log.error({ ...line, err: fault }, 'request failed');
      }
    };
  };
}

/** Who called, as log lines have it. */
function known(caller: Caller | undefined): object | undefined {
  switch (caller?.kind) {
    case 'user':
      return { user: caller.userId, session: caller.sessionId };
    case 'device':
      return { device: caller.deviceId };
    default:
      return undefined;
  }
}

/** What Express itself stumbles over, such as a path that can't be decoded, as a problem like any other. */
function answerFault(refuse: (problem: Error) => Handle): ErrorRequestHandler {
  return (fault: unknown, request, response, next) => {
    if (response.headersSent) {
      next(fault);
      return;
    }
    const error = fault instanceof Error ? fault : new Error(String(fault));
    const ofCaller = 'status' in error && Number(error.status) < 500;
    refuse(ofCaller ? new Problem('NOT_FOUND') : error)(request, response, {});
  };
}

function refuseOtherMethods(app: Express, routes: readonly Route[], serve: Serve) {
  const methods = new Map<string, Method[]>();
  for (const { path, method } of routes) {
    methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  for (const [path, known] of methods) {
    const allow = known.map((method) => method.toUpperCase()).join(', ');
    const refuse = serve(NOWHERE, () =>
      Promise.reject(new Problem('METHOD_NOT_ALLOWED', { headers: { allow } })),
    );
    app.all(path, (request, response) => {
      refuse(request, response, {});
    });
  }
}

function crossOrigin(allowedOrigins: readonly string[]): RequestHandler {
  const handler = cors({
    origin: allowedOrigins.includes('*') ? '*' : [...allowedOrigins],
    exposedHeaders: ['etag', 'location', 'retry-after', 'x-position', 'x-request-id'],
    maxAge: 600,
  });
  return (request, response, next) => {
    // Only what comes from a page of another origin has anything to do with CORS.
    if (request.headers.origin === undefined) next();
    else handler(request, response, next);
  };
}

/** Puts fixed headers on what the middleware behind it answers. */
function setting(fixed: FlatHeaders): RequestHandler {
  return (_request: IncomingMessage, response: ServerResponse, next) => {
    for (let at = 0; at < fixed.length; at += 2) {
      response.setHeader(fixed[at] ?? '', fixed[at + 1] ?? '');
    }
    next();
  };
}
