import { z } from "zod";

/** A person confirmed the address with which they signed up. */
export const USER_EMAIL_VERIFIED = "user.email_verified.v1";

/** The user's id alone. */
export const userEmailVerifiedSchema = z.object({ user_id: z.guid().toLowerCase() });
export type UserEmailVerified = z.output<typeof userEmailVerifiedSchema>;

/** The event of a confirmed address: its type, what it is about, and its data. */
export const userEmailVerified = (userId: string) => ({
  type: USER_EMAIL_VERIFIED,
  subject: userId,
  data: { user_id: userId } satisfies UserEmailVerified,
});
