import postgres, { type Sql } from "postgres";

const AUDIT_MS = 3_600_000;

/**
 * A connection for an audit, which reads all that a run has made. Behind a pooler the limits of the role are the database's own, and meant
 * for short statements: after 100,000 signups an audit takes longer. Not 0, for none: the driver leaves that out.
 */
export const openForAudit = (url: string): Sql =>
  postgres(url, { max: 1, onnotice: () => {}, connection: { statement_timeout: AUDIT_MS } });
