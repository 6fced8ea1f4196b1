import { endSession, type EndSession } from '../../src/commands/session/endSession.js';
import { refreshSession, REUSE_TOLERANCE_MS } from '../../src/commands/session/refreshSession.js';
import { startSession } from '../../src/commands/session/startSession.js';
import { session, type SessionState } from '../../src/commands/session/state.js';
import { at, BEFORE, given } from './given.js';
import { sessionEnded, sessionRefreshed, sessionStarted } from './things.js';

const WEEK_MS = 7 * 86_400_000;
const END = BEFORE + WEEK_MS;
const started = sessionStarted(END);

const start = (state: SessionState) => startSession(state, started.data);
const refresh = (generation: number, now: number) => (state: SessionState) =>
  refreshSession(state, { generation, now });
const end = (reason: EndSession['reason']) => (state: SessionState) =>
  endSession(state, { reason });

describe('starting a session', () => {
  it('says who signed in, from where, and until when', () => {
    given(session).when(start).then(started);
    given(session, started).is({
      kind: 'active',
      generation: 1,
      startedAt: BEFORE,
      expiresAt: END,
    });
  });

  it('is refused for one that was there', () => {
    given(session, started).when(start).refused('SESSION_EXISTS');
    given(session, started, sessionEnded('logout')).when(start).refused('SESSION_EXISTS');
  });
});

describe('refreshing a session', () => {
  it('gives the current token its successor', () => {
    given(session, started)
      .when(refresh(1, BEFORE + 1))
      .then(sessionRefreshed(2));
    given(session, started, sessionRefreshed(2), sessionRefreshed(3))
      .when(refresh(3, BEFORE + 1))
      .then(sessionRefreshed(4));
  });

  it('never moves the session’s end', () => {
    given(session, started, at(END - 1, sessionRefreshed(2))).is({ expiresAt: END });
  });

  it('works up to its last millisecond', () => {
    given(session, started)
      .when(refresh(1, END - 1))
      .then(sessionRefreshed(2));
    given(session, started).when(refresh(1, END)).refused('SESSION_ENDED');
  });

  describe('with the token before the current one', () => {
    const rotated = BEFORE + 60_000;
    const tabs = given(session, started, at(rotated, sessionRefreshed(2)));

    it('is the other tab: both go on with the one successor', () => {
      tabs.when(refresh(1, rotated)).nothing();
      tabs.when(refresh(1, rotated + 9_999)).nothing();
    });

    it('is tolerated for 10.000 s and not for 10.001 s', () => {
      expect(REUSE_TOLERANCE_MS).toBe(10_000);
      tabs.when(refresh(1, rotated + 10_000)).nothing();
      tabs.when(refresh(1, rotated + 10_001)).then(sessionEnded('refresh-token-reused'));
    });

    it('is tolerated from the last rotation on, whenever the session was started', () => {
      given(session, started, at(rotated, sessionRefreshed(2)), at(END - 5, sessionRefreshed(3)))
        .when(refresh(2, END - 1))
        .nothing();
    });
  });

  it('ends the session for an older token, however soon it comes', () => {
    given(session, started, sessionRefreshed(2), sessionRefreshed(3))
      .when(refresh(1, BEFORE))
      .then(sessionEnded('refresh-token-reused'));
  });

  it('ends the session for a token that was never given out', () => {
    given(session, started).when(refresh(2, BEFORE)).then(sessionEnded('refresh-token-reused'));
    given(session, started)
      .when(refresh(0, BEFORE + 10_001))
      .then(sessionEnded('refresh-token-reused'));
  });

  it('is refused when the session is over, or never was', () => {
    given(session).when(refresh(1, BEFORE)).refused('SESSION_ENDED');
    given(session, started, sessionEnded('revoked'))
      .when(refresh(1, BEFORE))
      .refused('SESSION_ENDED');
    given(session, started, sessionRefreshed(2), sessionEnded('refresh-token-reused'))
      .when(refresh(2, BEFORE))
      .refused('SESSION_ENDED');
  });
});

describe('ending a session', () => {
  it.each(['logout', 'logout-all', 'revoked'] as const)('says that it was by %s', (reason) => {
    given(session, started).when(end(reason)).then(sessionEnded(reason));
  });

  it('changes nothing when it is over, or never was', () => {
    given(session, started, sessionEnded('logout')).when(end('revoked')).nothing();
    given(session).when(end('logout')).nothing();
  });
});
