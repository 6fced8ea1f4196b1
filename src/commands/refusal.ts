/**
 * Why a command was refused: expected, and part of the contract with callers. A fault (a store that
 * is away) is thrown instead. The codes' meaning for HTTP is in api/problem.ts.
 */
export type RefusalCode =
  | 'DEVICE_NOT_FOUND'
  | 'DEVICE_EXISTS'
  | 'DEVICE_DELETED'
  | 'DEVICE_NOT_DELETED'
  | 'DEVICE_TOKEN_NOT_FOUND'
  | 'TOO_MANY_DEVICE_TOKENS'
  | 'EMAIL_TAKEN'
  | 'USER_NOT_FOUND'
  | 'USER_EXISTS'
  | 'USER_DISABLED'
  | 'LAST_ADMIN'
  | 'FORBIDDEN'
  | 'ORGANIZATION_NOT_FOUND'
  | 'ORGANIZATION_EXISTS'
  | 'MEMBER_EXISTS'
  | 'MEMBER_NOT_FOUND'
  | 'TOO_MANY_MEMBERS'
  | 'TOO_MANY_MEMBERSHIPS'
  | 'LAST_OWNER'
  | 'SESSION_EXISTS'
  | 'SESSION_ENDED'
  | 'TIME_IN_FUTURE'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'REVISION_MISMATCH'
  | 'TOO_MUCH_CONTENTION';

export interface Refusal {
  readonly refused: RefusalCode;
  /** One sentence for whoever reads the answer, when the code alone does not say it all. */
  readonly detail?: string;
}

/** Makes a refusal. */
export function refuse(refused: RefusalCode, detail?: string): Refusal {
  return detail === undefined ? { refused } : { refused, detail };
}

/** Tells a refusal from what a command otherwise returns. */
export function isRefusal(value: object): value is Refusal {
  return 'refused' in value;
}
