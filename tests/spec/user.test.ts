import { changeUser, type ChangeUser } from '../../src/commands/user/changeUser.js';
import { claimEmail, email, normalEmail, type ClaimEmail } from '../../src/commands/user/email.js';
import { isCommonPassword } from '../../src/commands/user/commonPasswords.js';
import { registerUser } from '../../src/commands/user/registerUser.js';
import { user, type UserState } from '../../src/commands/user/state.js';
import { at, BEFORE, given } from './given.js';
import { ADA, BOB, userRegistered } from './things.js';

const register = (state: UserState) => registerUser(state, userRegistered().data);
const change = (command: ChangeUser) => (state: UserState) => changeUser(state, command);
const roleChanged = (role: 'admin' | 'user') =>
  ({ type: 'UserRoleChanged', data: { userId: ADA, role } }) as const;
const disabled = { type: 'UserDisabled', data: { userId: ADA } } as const;
const enabled = { type: 'UserEnabled', data: { userId: ADA } } as const;

describe('registering a user', () => {
  it('says who it is', () => {
    given(user).when(register).then(userRegistered());
  });

  it('is refused for a user who is there', () => {
    given(user, userRegistered()).when(register).refused('USER_EXISTS');
    given(user, userRegistered(), disabled).when(register).refused('USER_EXISTS');
  });

  it('makes a user who may sign in', () => {
    given(user, userRegistered()).is({ kind: 'registered', disabled: false, createdAt: BEFORE });
  });
});

describe('changing a user', () => {
  it('gives another role', () => {
    given(user, userRegistered())
      .when(change({ role: 'admin' }))
      .then(roleChanged('admin'));
    given(user, userRegistered(), roleChanged('admin')).is({ role: 'admin' });
  });

  it('disables and enables', () => {
    given(user, userRegistered())
      .when(change({ disabled: true }))
      .then(disabled);
    given(user, userRegistered(), disabled)
      .when(change({ disabled: false }))
      .then(enabled);
    given(user, userRegistered(), disabled, enabled).is({ disabled: false });
  });

  it('does both at once', () => {
    given(user, userRegistered())
      .when(change({ role: 'admin', disabled: true }))
      .then(roleChanged('admin'), disabled);
  });

  it('does nothing when it holds already', () => {
    given(user, userRegistered())
      .when(change({ role: 'user', disabled: false }))
      .nothing();
    given(user, userRegistered()).when(change({})).nothing();
  });

  it('is refused for a user who is not there', () => {
    given(user)
      .when(change({ role: 'admin' }))
      .refused('USER_NOT_FOUND');
  });
});

describe('claiming an e-mail address', () => {
  const claimed = (userId: string) => ({ type: 'EmailClaimed', data: { userId } }) as const;
  const claim = (command: ClaimEmail) => (state: Parameters<typeof claimEmail>[0]) =>
    claimEmail(state, command);

  it('takes a free one', () => {
    given(email)
      .when(claim({ userId: ADA, abandoned: false }))
      .then(claimed(ADA));
  });

  it('is done once for the same user', () => {
    given(email, claimed(ADA))
      .when(claim({ userId: ADA, abandoned: false }))
      .nothing();
  });

  it('is refused to another user', () => {
    given(email, claimed(ADA))
      .when(claim({ userId: BOB, abandoned: false }))
      .refused('EMAIL_TAKEN');
  });

  it('takes over what a dead signup left behind', () => {
    given(email, claimed(ADA))
      .when(claim({ userId: BOB, abandoned: true }))
      .then(claimed(BOB));
    given(email, claimed(ADA), at(BEFORE + 1, claimed(BOB))).is({ userId: BOB, at: BEFORE + 1 });
  });

  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    ['  ada@example.com\n', 'ada@example.com'],
    ['ａｄａ@example.com', 'ada@example.com'],
  ])('knows that %j is %s', (given, normal) => {
    expect(normalEmail(given)).toBe(normal);
  });

  it('keeps different people apart', () => {
    expect(normalEmail('a.da@example.com')).not.toBe(normalEmail('ada@example.com'));
    expect(normalEmail('ada+1@example.com')).not.toBe(normalEmail('ada@example.com'));
  });
});

describe('a common password', () => {
  it('is known in any case', () => {
    expect(isCommonPassword('password123')).toBe(true);
    expect(isCommonPassword('PassWord123')).toBe(true);
    expect(isCommonPassword('correct horse battery staple')).toBe(false);
  });
});
