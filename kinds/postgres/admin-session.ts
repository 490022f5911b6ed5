/** How the server is administered, whichever way it is reached. */

export interface AdminSession {
  /** For messages: `PostgreSQL on db-1`. */
  readonly server: string;
  /**
   * Sends each statement as a message of its own over one new connection, in order, up to the first that fails;
   * what is still in a transaction then is rolled back. Statements may hold a verifier: they are neither logged
   * nor put into an error.
   * @param database default `postgres`: where locks and fences live
   * @returns for each statement the text of the first column of its rows; rows hold no raw newline (use JSON)
   * @throws RotateError IssuerUnreachable, IssuerAuthFailed, IssuerMisconfigured, IssuerBusy, Timeout, and what
   *   the host throws; `details.sqlstate` is the server's code where it answered
   */
  run(statements: readonly string[], database?: string): Promise<string[][]>;
}

/** Where advisory locks, comments on roles and everything else of the protocol happens. */
export const adminDatabase = 'postgres';
