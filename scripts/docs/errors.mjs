import { code, page, table } from './markdown.mjs';

/** What whoever gets an error can do about it. */
const ADVICE = {
  VALIDATION_FAILED: 'Correct what `errors` names: `at` says where, `message` what it must be.',
  MALFORMED_BODY: 'Send valid JSON in UTF-8; a key such as `__proto__` is refused too.',
  INVALID_HEADER: 'Correct the header that `detail` names.',
  INVALID_CURSOR:
    'Send `nextCursor` back as it was answered, with the same filters and sort; or begin without a cursor.',
  TIME_IN_FUTURE: 'Set the device’s clock, or leave `time` out: the time of receipt counts then.',
  UNAUTHENTICATED: 'Log in, or send a device token that has not been revoked.',
  TOKEN_EXPIRED: 'Trade the refresh token for new ones at `POST /api/auth/refresh`.',
  INVALID_CREDENTIALS: 'Check both; an unknown address and a wrong password are the same answer.',
  SESSION_ENDED:
    'Log in again. If you did not log out, somebody may have used an old refresh token.',
  USER_DISABLED: 'Ask an administrator.',
  FORBIDDEN: 'Ask an owner of the organization, or an administrator, for the role that it takes.',
  NOT_FOUND: 'Check the path and the ids, and that you belong to the organization.',
  DEVICE_NOT_FOUND: 'Check the id, and that you belong to the device’s organization.',
  DEVICE_TOKEN_NOT_FOUND: 'List the device’s tokens; it may have been revoked already.',
  USER_NOT_FOUND: 'Check the id or the address; they may have to sign up first.',
  ORGANIZATION_NOT_FOUND: 'Check the id, and that you belong to it.',
  MEMBER_NOT_FOUND: 'Read the organization: it lists its members.',
  METHOD_NOT_ALLOWED: 'Use one of the methods that the `Allow` header names.',
  BODY_TIMEOUT: 'Send the body faster, or in smaller parts.',
  DEVICE_EXISTS: 'Nothing: it was registered before, by a command with the same id.',
  DEVICE_DELETED: 'Restore it with `POST /api/devices/:id/restore`.',
  DEVICE_NOT_DELETED: 'Nothing: it is in use.',
  EMAIL_TAKEN: 'Log in, or use another address.',
  USER_EXISTS: 'Nothing: the user was made before, by a command with the same id.',
  LAST_ADMIN: 'Let another administrator do it.',
  ORGANIZATION_EXISTS: 'Nothing: it was made before, by a command with the same id.',
  MEMBER_EXISTS: 'Change their role with `PATCH` instead.',
  LAST_OWNER: 'Make somebody else an owner first.',
  SESSION_EXISTS: 'Log in again, without the `Idempotency-Key`.',
  TOO_MUCH_CONTENTION: 'Try again; if it stays, fewer writers should change the same thing.',
  REVISION_MISMATCH:
    'Read it again, look at what has changed, and send the new `ETag` as `If-Match`.',
  BODY_TOO_LARGE: 'Send less at once; the operator sets the limit (`MAX_REQUEST_SIZE`).',
  TOO_MANY_LINES: 'Send several batches.',
  UNSUPPORTED_MEDIA_TYPE: 'Send the type that `detail` names, uncompressed.',
  IDEMPOTENCY_KEY_REUSED: 'Use a new key for a new request; repeat an old one unchanged.',
  COMMON_PASSWORD: 'Choose another; a few words that do not belong together do well.',
  TOO_MANY_DEVICE_TOKENS: 'Revoke tokens that are no longer used.',
  TOO_MANY_MEMBERS: 'Remove members, or use another organization.',
  TOO_MANY_MEMBERSHIPS:
    'Let them leave an organization first: `DELETE /api/organizations/:id/members/:userId` with their own id.',
  RATE_LIMITED: 'Wait for as many seconds as `Retry-After` says; `detail` says which limit it was.',
  INTERNAL: 'Tell the operator the `requestId`, which finds it in the log.',
  TOO_BUSY: 'Try again after `Retry-After` seconds.',
  NOT_CONSISTENT_YET:
    'Try again after `Retry-After` seconds. If it stays, a projection lags: see docs/operations.md.',
  STORE_UNAVAILABLE:
    'Repeat it unchanged after `Retry-After` seconds, best under an `Idempotency-Key`. The operator finds the reason in the log.',
};

export function errorsPage({ meanings }) {
  const codes = Object.keys(meanings);
  const silent = codes.filter((one) => ADVICE[one] === undefined);
  const gone = Object.keys(ADVICE).filter((one) => meanings[one] === undefined);
  if (silent.length + gone.length > 0) {
    throw new Error(`scripts/docs/errors.mjs lacks ${silent} and need not tell of ${gone}`);
  }
  return page(
    'Errors',
    `Every error is answered as \`application/problem+json\` (RFC 9457): \`status\`, \`title\`, a stable \`code\` to program
against, sometimes a \`detail\` for whoever reads it and \`errors\` that name the parts that are wrong, and the
\`requestId\` under which the server's log has it. Titles and details may change; codes do not.

In a batch (\`POST /api/ingest\`, \`POST /api/devices/batch\`) each line has its own \`status\` and \`code\`, and the
batch itself is a 200.`,
    table(
      ['code', 'status', 'meaning', 'what to do'],
      codes.map((one) => [code(one), meanings[one].status, meanings[one].title, ADVICE[one]]),
    ),
  );
}
