/** The command line is wrong: one line for the person who typed it, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command ran and could not do its work: one line for a person, no stack, exit code 1. */
export class CommandFailed extends Error {
  override readonly name: string = 'CommandFailed';
}

/** The server understood and said no (RFC 9457), or something in front of it did. */
export class ApiProblem extends CommandFailed {
  override readonly name = 'ApiProblem';
  constructor(
    readonly status: number,
    /** The server's stable code; `HTTP_<status>` when the answer carried none. */
    readonly code: string,
    readonly detail: string | undefined,
    /** How long to wait before another attempt, if the server said so. */
    readonly retryAfterMs: number | undefined,
  ) {
    super(`${status} ${code}${detail === undefined ? '' : `: ${detail}`}`);
  }
}

/** No answer: nobody listens, the connection broke, or it took too long. It may have been done. */
export class ServerUnreachable extends CommandFailed {
  override readonly name = 'ServerUnreachable';
  constructor(
    readonly url: string,
    /** The system's or undici's code, as ECONNREFUSED or UND_ERR_HEADERS_TIMEOUT. */
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`no answer from ${url} (${reason})`, options);
  }
}

/** The server answered with success and something else than the API promises: another server? */
export class UnexpectedAnswer extends CommandFailed {
  override readonly name = 'UnexpectedAnswer';
}

/**
 * The code of an error of the system or of a library, as ENOENT. By its shape and not its class: an
 * error can come from another realm, where `instanceof Error` is false.
 */
export function codeOf(error: unknown): string | undefined {
  const code: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** What an error says, for a person. */
export function messageOf(error: unknown): string {
  const message: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined;
  return typeof message === 'string' ? message : String(error);
}
