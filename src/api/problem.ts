import type { RefusalCode } from '../commands/refusal.js';

/** Codes of the HTTP surface itself; what commands refuse has codes of its own. */
export type ApiCode =
  | 'VALIDATION_FAILED'
  | 'MALFORMED_BODY'
  | 'INVALID_HEADER'
  | 'INVALID_CURSOR'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'BODY_TOO_LARGE'
  | 'TOO_MANY_LINES'
  | 'BODY_TIMEOUT'
  | 'UNAUTHENTICATED'
  | 'TOKEN_EXPIRED'
  | 'INVALID_CREDENTIALS'
  | 'COMMON_PASSWORD'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'RATE_LIMITED'
  | 'TOO_BUSY'
  | 'NOT_CONSISTENT_YET'
  | 'STORE_UNAVAILABLE'
  | 'INTERNAL';

export type Code = ApiCode | RefusalCode;

/** What a code means: its status, and the sentence that stands for it everywhere. */
export interface Meaning {
  readonly status: number;
  readonly title: string;
}

/** Every code that an answer may carry. Codes are stable; docs/errors.md is made from this table. */
export const meanings: Readonly<Record<Code, Meaning>> = {
  VALIDATION_FAILED: { status: 400, title: 'The request does not have the shape it must have.' },
  MALFORMED_BODY: { status: 400, title: 'The body is not valid JSON.' },
  INVALID_HEADER: { status: 400, title: 'A header does not have the form it must have.' },
  INVALID_CURSOR: { status: 400, title: 'The cursor was not given out for this question.' },
  TIME_IN_FUTURE: { status: 400, title: 'The time lies more than five minutes in the future.' },
  UNAUTHENTICATED: { status: 401, title: 'This needs a valid token.' },
  TOKEN_EXPIRED: { status: 401, title: 'The token has expired.' },
  INVALID_CREDENTIALS: { status: 401, title: 'The e-mail address or the password is wrong.' },
  SESSION_ENDED: { status: 401, title: 'The session is over.' },
  USER_DISABLED: { status: 401, title: 'The user is disabled.' },
  FORBIDDEN: { status: 403, title: 'You may see this, but not do that.' },
  NOT_FOUND: { status: 404, title: 'There is nothing here, or nothing that you may see.' },
  DEVICE_NOT_FOUND: { status: 404, title: 'There is no such device, or none that you may see.' },
  DEVICE_TOKEN_NOT_FOUND: { status: 404, title: 'The device has no such token.' },
  USER_NOT_FOUND: { status: 404, title: 'There is no such user.' },
  ORGANIZATION_NOT_FOUND: {
    status: 404,
    title: 'There is no such organization, or none that you may see.',
  },
  MEMBER_NOT_FOUND: { status: 404, title: 'The organization has no such member.' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This can’t be done to that.' },
  BODY_TIMEOUT: { status: 408, title: 'The body took too long to arrive.' },
  DEVICE_EXISTS: { status: 409, title: 'The device exists already.' },
  DEVICE_DELETED: { status: 409, title: 'The device is deleted; restore it first.' },
  DEVICE_NOT_DELETED: { status: 409, title: 'The device is not deleted.' },
  EMAIL_TAKEN: { status: 409, title: 'Somebody has signed up with this e-mail address.' },
  USER_EXISTS: { status: 409, title: 'The user exists already.' },
  LAST_ADMIN: { status: 409, title: 'You can’t take the administrator’s role from yourself.' },
  ORGANIZATION_EXISTS: { status: 409, title: 'The organization exists already.' },
  MEMBER_EXISTS: { status: 409, title: 'The user is a member already.' },
  LAST_OWNER: { status: 409, title: 'An organization keeps at least one owner.' },
  SESSION_EXISTS: { status: 409, title: 'The session exists already.' },
  TOO_MUCH_CONTENTION: { status: 409, title: 'Too many others changed this at the same time.' },
  REVISION_MISMATCH: { status: 412, title: 'It has changed since you read it.' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is larger than the server takes.' },
  TOO_MANY_LINES: { status: 413, title: 'The batch has more lines than the server takes.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body is not of a type that this takes.' },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: 'The idempotency key was used for another request.',
  },
  COMMON_PASSWORD: { status: 422, title: 'The password is one of the first that anybody tries.' },
  TOO_MANY_DEVICE_TOKENS: { status: 422, title: 'The device has as many tokens as it may have.' },
  TOO_MANY_MEMBERS: { status: 422, title: 'The organization has as many members as it may have.' },
  TOO_MANY_MEMBERSHIPS: {
    status: 422,
    title: 'The user belongs to as many organizations as they may.',
  },
  RATE_LIMITED: { status: 429, title: 'Too many requests; try again later.' },
  INTERNAL: {
    status: 500,
    title: 'Something went wrong inside; the request id finds it in the log.',
  },
  TOO_BUSY: { status: 503, title: 'The server is busy; try again shortly.' },
  NOT_CONSISTENT_YET: {
    status: 503,
    title: 'The answer does not yet show what it must show; try again shortly.',
  },
  STORE_UNAVAILABLE: { status: 503, title: 'The store can’t be used right now; nothing is lost.' },
};

/** An answer that is an error (RFC 9457), thrown by whatever finds out. */
export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    readonly code: Code,
    readonly options: {
      readonly detail?: string | undefined;
      /** What was wrong with which part of the request. */
      readonly errors?: readonly FieldError[];
      /** Seconds after which trying again makes sense. */
      readonly retryAfter?: number;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(options.detail ?? meanings[code].title);
  }
  get status(): number {
    return meanings[this.code].status;
  }
}

export interface FieldError {
  /** Where, as a JSON pointer into the body, or the name of the parameter. */
  readonly at: string;
  readonly message: string;
}

/** The `application/problem+json` body of a problem. */
export function problemBody({ code, options, status }: Problem, requestId: string) {
  return {
    type: 'about:blank',
    title: meanings[code].title,
    status,
    code,
    ...(options.detail !== undefined && { detail: options.detail }),
    ...(options.errors !== undefined && { errors: options.errors }),
    requestId,
  };
}
