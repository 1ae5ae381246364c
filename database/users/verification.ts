import type { Database } from "../connection.ts";

/** Whether a user's address is confirmed, or its owner has said that they did not sign up. */
export interface UserVerification {
  readonly userId: string;
  /** null: not confirmed. */
  readonly verifiedAt: Date | null;
  /** null: not disowned. */
  readonly disownedAt: Date | null;
  readonly createdAt: Date;
}

/** Looks a user up; undefined: there is none. */
export const findVerification = async (db: Database, userId: string): Promise<UserVerification | undefined> => {
  const row = await db
    .selectFrom("users")
    .select(["id", "email_verified_at", "disowned_at", "created_at"])
    .where("id", "=", userId)
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : { userId: row.id, verifiedAt: row.email_verified_at, disownedAt: row.disowned_at, createdAt: row.created_at };
};
