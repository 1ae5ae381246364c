import { type Database, statement } from "./connection.ts";

/** A session of the console that was ended, or all of somebody's. */
export interface SignOut {
  readonly role: string;
  readonly name: string;
  /** null: every session of that name and role that began before. */
  readonly sessionId: string | null;
  readonly endedAt: Date;
}

const save = statement<{ role: string }, [string, string, string, Date, Date]>(`
  with over as (delete from console_sign_outs where expires_at < now())
  insert into console_sign_outs (role, name, session_id, ended_at, expires_at)
    values ($1::text, $2::text, $3::text, $4::timestamptz, $5::timestamptz)
  on conflict (role, name, session_id) do update
    set ended_at = excluded.ended_at, expires_at = excluded.expires_at
  returning role`);

/** Ends sessions, and forgets those that would be over by themselves. `expiresAt`: when the last of them is. */
export const saveSignOut = async (
  db: Database,
  { role, name, sessionId, endedAt }: SignOut,
  expiresAt: Date,
): Promise<void> => void (await save(db, role, name, sessionId ?? "", endedAt, expiresAt));

interface SignOutRow {
  readonly role: string;
  readonly name: string;
  readonly session_id: string;
  readonly ended_at: Date;
}

const list = statement<SignOutRow, []>(`
  select role, name, session_id, ended_at from console_sign_outs where expires_at >= now()`);

/** Those whose sessions would go on without them. */
export const listSignOuts = async (db: Database): Promise<readonly SignOut[]> =>
  (await list(db)).map((row) => ({
    role: row.role,
    name: row.name,
    sessionId: row.session_id === "" ? null : row.session_id,
    endedAt: row.ended_at,
  }));
