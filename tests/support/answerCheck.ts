import type { IncomingHttpHeaders } from 'node:http';
import { Ajv, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { meanings } from '../../src/api/problem.js';
import type { Route } from '../../src/api/route.js';
import { Problem } from '../../src/api/schemas.js';
import { withSchemaWords } from './schemaWords.js';

/** An answer as it came, whatever it was to. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** @throws Error when the answer is not one that the API promises for that request */
export type AnswerCheck = (method: string, path: string, answer: RawAnswer) => void;

const PROBLEM: TSchema = { ...Problem, additionalProperties: false };
const JSON_TYPE = 'application/json; charset=utf-8';
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Checks answers by the route table: what it says and nothing else, and what all answers have in common. */
export function answerCheck(routes: readonly Route[]): AnswerCheck {
  const ajv = withSchemaWords(new Ajv({ strict: true, allowUnionTypes: true }));
  const compiled = new Map<TSchema, ValidateFunction>();
  const table = routes.map((route) => ({ route, pattern: patternOf(route.path) }));

  function ensureShape(schema: TSchema, value: unknown, about: string) {
    const known = compiled.get(schema) ?? ajv.compile(schema);
    compiled.set(schema, known);
    if (!known(value)) throw new Error(`${about}: ${ajv.errorsText(known.errors)}`);
  }

  return (method, path, answer) => {
    const { status, headers, text } = answer;
    const about = `${method} ${path} → ${status} ${text.slice(0, 500)}`;
    const [pathname = path] = path.split('?');
    const route = table.find(
      (one) => one.route.method === method.toLowerCase() && one.pattern.test(pathname),
    )?.route;
    ensureCommon(answer, about);
    const schema = route?.answers[status];
    if (route !== undefined && schema !== undefined) {
      ensureAnswer(route, schema, answer, about);
      return;
    }
    if (status < 400) throw new Error(`${about}: a status that the route does not declare`);
    if (headers['content-type'] !== PROBLEM_TYPE) throw new Error(`${about}: not a problem`);
    const problem: unknown = JSON.parse(text);
    ensureShape(PROBLEM, problem, about);
    const { code, status: said, requestId } = problem as ProblemBody;
    if (said !== status || requestId !== headers['x-request-id'] || !Object.hasOwn(meanings, code))
      throw new Error(`${about}: a problem that contradicts itself`);
  };

  function ensureAnswer(
    route: Route,
    schema: TSchema | null,
    { status, headers, text }: RawAnswer,
    about: string,
  ) {
    if (schema === null) {
      if (text !== '') throw new Error(`${about}: a body where there is none`);
    } else if (headers['content-type'] === JSON_TYPE) {
      ensureShape(schema, JSON.parse(text), about);
    } else {
      ensureShape(schema, text, about);
    }
    if (status === 201 && route.path !== '/api/organizations/:id/members') {
      if (headers.location === undefined) throw new Error(`${about}: no Location`);
    }
    const command = route.method !== 'get' && route.bodyKind !== 'lines' && status < 300;
    if (command && !/^[1-9]\d*$/.test(String(headers['x-position']))) {
      throw new Error(`${about}: no X-Position`);
    }
  }
}

interface ProblemBody {
  readonly code: string;
  readonly status: number;
  readonly requestId: string;
}

function ensureCommon({ headers, status, text }: RawAnswer, about: string) {
  const promised: readonly (readonly [string, RegExp])[] = [
    ['x-request-id', /^[\w.:/+=-]{1,100}$/],
    ['cache-control', /^no-store$/],
    ['x-content-type-options', /^nosniff$/],
    ['content-security-policy', /default-src 'none'/],
  ];
  for (const [name, form] of promised) {
    if (!form.test(String(headers[name]))) throw new Error(`${about}: ${name} is not as promised`);
  }
  if (headers['x-powered-by'] !== undefined) throw new Error(`${about}: says what it runs on`);
  if (status === 401 && headers['www-authenticate'] !== 'Bearer') {
    throw new Error(`${about}: 401 without WWW-Authenticate`);
  }
  if (status >= 500 && /node_modules|\.[jt]s:\d+|SQLITE|at \w+ \(/.test(text)) {
    throw new Error(`${about}: tells of the inside`);
  }
}

/** The paths that a route answers, as Express has them. */
function patternOf(path: string): RegExp {
  const escaped = path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+');
  return new RegExp(`^${escaped}/?$`, 'i');
}
