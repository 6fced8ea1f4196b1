import { Type } from 'typebox';
import { derivedId } from '../../commands/origin.js';
import { endSession } from '../../commands/session/endSession.js';
import { refreshSession } from '../../commands/session/refreshSession.js';
import { startSession } from '../../commands/session/startSession.js';
import { normalEmail } from '../../commands/user/email.js';
import { isCommonPassword } from '../../commands/user/commonPasswords.js';
import { signUp, userByEmail } from '../../commands/user/signUp.js';
import type { RegisteredUser } from '../../commands/user/state.js';
import { sessionStream, userStream } from '../../events/streams.js';
import { Line } from '../../events/values.js';
import { accepted, userAnswer } from '../answers.js';
import type { RouteDeps } from '../deps.js';
import { Problem } from '../problem.js';
import { route, type Route } from '../route.js';
import { Email, object, Tokens, User } from '../schemas.js';

const Password = Type.String({ minLength: 8, maxLength: 128 });
const TAG = 'Authentication';

export function authRoutes(deps: RouteDeps): readonly Route[] {
  const { runtime, states, handle, passwords, tokens, refreshTokenTtlMs } = deps;
  const register = signUp(deps);
  const findUser = userByEmail(deps);

  /** The session's user, if they may still use it. */
  async function userOf(userId: string): Promise<RegisteredUser> {
    const { state } = await states.users.load(userStream(userId));
    if (state.kind === 'none') throw new Problem('UNAUTHENTICATED');
    if (state.disabled) throw new Problem('USER_DISABLED');
    return state;
  }

  return [
    route({
      method: 'post',
      path: '/api/auth/signup',
      summary: 'Sign up: makes a user and their personal organization.',
      tag: TAG,
      access: 'anyone',
      limit: 'auth',
      body: object({ name: Line(100), email: Email, password: Password }),
      answers: { 201: object({ user: User }) },
      async handle({ body: { name, email, password }, origin }) {
        if (isCommonPassword(password)) throw new Problem('COMMON_PASSWORD');
        const from = origin(`signup ${normalEmail(email)}`);
        const passwordHash = await passwords.hash(password);
        const signedUp = await register({ name, email, passwordHash, role: 'user' }, from);
        const { user, position } = accepted(signedUp);
        return {
          status: 201,
          body: { user: userAnswer(user) },
          position,
          headers: { location: '/api/users/profile' },
        };
      },
    }),

    route({
      method: 'post',
      path: '/api/auth/login',
      summary: 'Log in: starts a session and answers its tokens.',
      tag: TAG,
      access: 'anyone',
      limit: 'auth',
      body: object({ email: Email, password: Type.String({ minLength: 1, maxLength: 128 }) }),
      answers: { 200: Tokens },
      async handle({ body: { email, password }, origin, address, agent }) {
        const from = origin(`login ${normalEmail(email)}`);
        const user = await findUser(email);
        const right = await passwords.verify(password, user?.passwordHash);
        if (user === undefined || !right) throw new Problem('INVALID_CREDENTIALS');
        if (user.disabled) throw new Problem('USER_DISABLED');
        const sessionId = derivedId(from.commandId, 'session');
        const { userId } = user;
        const began = { sessionId, userId, address: address(), agent: agent() };
        const expiresAt = runtime.now() + refreshTokenTtlMs;
        const started = accepted(
          await handle({
            stream: sessionStream(sessionId),
            family: states.sessions,
            decide: (state) => startSession(state, { ...began, expiresAt }),
            origin: { ...from, actor: { kind: 'user', id: userId } },
          }),
        );
        if (started.state.kind !== 'active') throw new Problem('SESSION_ENDED');
        const body = { ...tokens.issue(started.state, user.role), user: userAnswer(user) };
        const writer = { kind: 'user', userId, sessionId, role: user.role } as const;
        return { status: 200, body, position: started.position, writer };
      },
    }),

    route({
      method: 'post',
      path: '/api/auth/refresh',
      summary:
        'Trade the refresh token for new tokens. Each can be used once, and for ten seconds again for the same answer; later it ends the session.',
      tag: TAG,
      access: 'anyone',
      limit: 'device',
      body: object({ refreshToken: Type.String({ maxLength: 2_000 }) }),
      answers: { 200: Tokens },
      async handle({ body: { refreshToken }, origin }) {
        const { sessionId, generation } = tokens.readRefresh(refreshToken);
        const from = origin(`session ${sessionId}`);
        const refreshed = accepted(
          await handle({
            stream: sessionStream(sessionId),
            family: states.sessions,
            decide: (state) => refreshSession(state, { generation, now: runtime.now() }),
            origin: from,
          }),
        );
        // A reused token is an accepted command: what it did was to end the session.
        if (refreshed.state.kind !== 'active') throw new Problem('SESSION_ENDED');
        const user = await userOf(refreshed.state.userId);
        const body = { ...tokens.issue(refreshed.state, user.role), user: userAnswer(user) };
        return { status: 200, body, position: refreshed.position };
      },
    }),

    route({
      method: 'post',
      path: '/api/auth/logout',
      summary: 'End this session: its tokens stop working at once.',
      tag: TAG,
      access: 'user',
      limit: 'device',
      answers: { 204: null },
      async handle({ user: { sessionId }, origin }) {
        const ended = accepted(
          await handle({
            stream: sessionStream(sessionId),
            family: states.sessions,
            decide: (state) => endSession(state, { reason: 'logout' }),
            origin: origin(),
          }),
        );
        return { status: 204, position: ended.position };
      },
    }),
  ];
}
