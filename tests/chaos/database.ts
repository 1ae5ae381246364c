import postgres, { type Sql } from "postgres";

/**
 * A connection for an audit, which reads all that a run has made. Behind a pooler the limits of the role are the database's own, and meant
 * for short statements: after 100,000 signups an audit takes longer.
 */
export const openForAudit = (url: string): Sql =>
  postgres(url, { max: 1, onnotice: () => {}, connection: { statement_timeout: 0 } });
