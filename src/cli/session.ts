import type { Runtime } from '../runtime.js';
import { expecting, TokensAnswer } from './answers.js';
import type { Send } from './client.js';
import { ApiProblem } from './errors.js';

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

export interface Session {
  /** The access token as it is now. */
  current(): string;
  /** Gets a new access token; callers at the same time share one. */
  renew(): Promise<void>;
  /** Renews the token well before it expires, until the signal aborts; never rejects. */
  keepFresh(signal: AbortSignal): Promise<void>;
}

const tokensIn = expecting('a login', TokensAnswer);

/** Creates an account. */
export async function signUp(send: Send, name: string, credentials: Credentials): Promise<void> {
  const body = JSON.stringify({ name, ...credentials });
  await send({ method: 'POST', path: '/api/auth/signup', body });
}

/** Logs in. Throws ApiProblem when the account or the password is not known. */
export async function logIn(
  deps: { readonly send: Send; readonly runtime: Runtime },
  credentials: Credentials,
): Promise<Session> {
  const { send, runtime } = deps;
  const post = async (path: string, body: object) =>
    tokensIn(await send({ method: 'POST', path, body: JSON.stringify(body) }));
  const login = () => post('/api/auth/login', credentials);

  let tokens = await login();
  let renewing: Promise<void> | null = null;

  async function replace(): Promise<void> {
    const { refreshToken } = tokens;
    try {
      tokens = await post('/api/auth/refresh', { refreshToken });
    } catch (error) {
      // The session has ended, by time or by someone's hand; the account may still be good.
      if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
      tokens = await login();
    }
  }

  const renew = () => (renewing ??= replace().finally(() => (renewing = null)));

  async function keepFresh(signal: AbortSignal): Promise<void> {
    for (;;) {
      await runtime.sleep(Math.min(tokens.expiresIn * 800, 3_600_000), signal);
      if (signal.aborted) return;
      // A failure shows in the requests themselves; the next round tries again.
      await renew().catch(() => runtime.sleep(1_000, signal));
    }
  }

  return { current: () => tokens.accessToken, renew, keepFresh };
}

/** Sends with the session's token; an expired one is renewed once and the request repeated. */
export function authorized(send: Send, session: Session): Send {
  return async (request) => {
    try {
      return await send({ ...request, token: session.current() });
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
      await session.renew();
      return send({ ...request, token: session.current() });
    }
  };
}
