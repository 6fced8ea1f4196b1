/** The port for what takes time on purpose. */
export interface Passwords {
  /** @throws TooBusy when too many are waiting already */
  hash(password: string): Promise<string>;
  /** Takes as long for no hash at all as for a wrong password. @throws TooBusy */
  verify(password: string, hash: string | undefined): Promise<boolean>;
}

/** Hashing is slow on purpose: more than this many waiting would only wait longer. */
export class TooBusy extends Error {
  override readonly name = 'TooBusy';
}
