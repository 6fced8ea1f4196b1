import { createServer, IncomingMessage, ServerResponse, type Server } from 'node:http';
import cors from 'cors';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Runtime } from '../runtime.js';
import { docsPage } from './docsPage.js';
import { requestIdOf } from './headers.js';
import type { Metrics } from './metrics.js';
import type { Performed } from './perform.js';
import { Problem } from './problem.js';
import { problemOf, sendAnswer, sendProblem } from './respond.js';
import type { Caller, Method, Route } from './route.js';

export interface ServerDeps {
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly routes: readonly Route[];
  readonly perform: (
    route: Route,
  ) => (request: Request, response: Response, requestId: string) => Promise<Performed>;
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
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', deps.trustProxy);
  app.use(commonHeaders(deps.production, deps.allowedOrigins));
  for (const route of deps.routes) app[route.method](route.path, serve(deps, route));
  app.use('/docs', docsPage());
  refuseOtherMethods(app, deps);
  app.use(serve(deps, NOWHERE, () => Promise.reject(new Problem('NOT_FOUND'))));
  app.use(answerFault(deps));

  const server = createServer(
    {
      ...classesAtBirth(app),
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 5_000,
    },
    app,
  );
  server.maxRequestsPerSocket = 0;
  return server;
}

/** What Express itself stumbles over, such as a path that can't be decoded, as a problem like any other. */
function answerFault(deps: ServerDeps): ErrorRequestHandler {
  return (fault: unknown, request, response, next) => {
    if (response.headersSent) {
      next(fault);
      return;
    }
    const error = fault instanceof Error ? fault : new Error(String(fault));
    const ofCaller = 'status' in error && Number(error.status) < 500;
    const problem = ofCaller ? new Problem('NOT_FOUND') : error;
    serve(deps, NOWHERE, () => Promise.reject(problem))(request, response);
  };
}

/** What requests that match no route are counted as. */
const NOWHERE = { method: 'get' as const, path: 'nowhere' };

function serve(
  deps: ServerDeps,
  route: Route | typeof NOWHERE,
  perform = 'handle' in route ? deps.perform(route) : undefined,
) {
  const { runtime, metrics, log } = deps;
  return (request: Request, response: Response): void => {
    const began = runtime.monotonic();
    const requestId = requestIdOf(request.headers) ?? runtime.uuid();
    response.setHeader('x-request-id', requestId);
    if (deps.stopping()) response.setHeader('connection', 'close');
    void answer();

    async function answer() {
      let caller: Caller | undefined;
      let fault: unknown;
      try {
        if (perform === undefined) throw new Problem('NOT_FOUND');
        const performed = await perform(request, response, requestId);
        ({ caller } = performed);
        sendAnswer(response, performed.answer);
      } catch (error) {
        const problem = problemOf(error);
        if (problem.status >= 500) fault = error;
        sendProblem(response, problem, requestId);
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

function refuseOtherMethods(app: Express, deps: ServerDeps) {
  const methods = new Map<string, Method[]>();
  for (const { path, method } of deps.routes) {
    methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  for (const [path, known] of methods) {
    const allow = known.map((method) => method.toUpperCase()).join(', ');
    const refuse = () => Promise.reject(new Problem('METHOD_NOT_ALLOWED', { headers: { allow } }));
    app.all(path, serve(deps, NOWHERE, refuse));
  }
}

/** Headers that every answer carries; the page at /docs replaces some. */
function commonHeaders(production: boolean, allowedOrigins: readonly string[]): RequestHandler {
  const fixed = securityHeaders(production);
  const crossOrigin = cors({
    origin: allowedOrigins.includes('*') ? '*' : [...allowedOrigins],
    exposedHeaders: ['etag', 'location', 'retry-after', 'x-position', 'x-request-id'],
    maxAge: 600,
  });
  return (request, response, next) => {
    for (const [name, value] of fixed) response.setHeader(name, value);
    // Only what comes from a page of another origin has anything to do with CORS.
    if (request.headers.origin === undefined) next();
    else crossOrigin(request, response, next);
  };
}

/**
 * What an API's answers need (OWASP REST Security Cheat Sheet). Helmet says it once: none of it
 * depends on the request, and its chain of a dozen handlers costs as much as routing does.
 */
function securityHeaders(production: boolean): readonly (readonly [string, string])[] {
  const said: [string, string][] = [];
  const listener = {
    setHeader: (name: string, value: string) => said.push([name, value]),
    removeHeader: () => undefined,
  };
  // Of a response, all that it uses is these two.
  const say: (request: object, response: typeof listener, next: () => void) => void = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    strictTransportSecurity: production,
    xFrameOptions: { action: 'deny' },
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  }) as never;
  say({}, listener, () => undefined);
  return said;
}

/**
 * Express gives every request and response its own prototype, which makes V8 treat each as a
 * dictionary and costs more than all the rest. Born with that prototype they stay fast, and the
 * change of prototype changes nothing (docs/adr/0005). Reflect.construct, or a class, would not do:
 * the object has to be made by the constructor that carries the prototype.
 */
function classesAtBirth(app: Express) {
  // Node's are plain functions, whatever their types say: they fill in the `this` that they are given.
  const fillRequest: Fill = IncomingMessage;
  const fillResponse: Fill = ServerResponse;
  function BornRequest(this: object, ...given: unknown[]) {
    fillRequest.apply(this, given);
  }
  function BornResponse(this: object, ...given: unknown[]) {
    fillResponse.apply(this, given);
  }
  BornRequest.prototype = app.request;
  BornResponse.prototype = app.response;
  return {
    IncomingMessage: BornRequest as unknown as typeof IncomingMessage,
    ServerResponse: BornResponse as unknown as typeof ServerResponse,
  };
}

interface Fill {
  apply(self: object, given: unknown[]): void;
}
