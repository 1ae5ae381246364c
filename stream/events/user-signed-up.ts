import { z } from "zod";

/** A person signed up. */
export const USER_SIGNED_UP = "user.signed_up.v1";

export const LOCALES = ["vi", "en"] as const;
export type Locale = (typeof LOCALES)[number];

/** Ids only: name and address stay in Postgres, and are read when they are needed. */
export const userSignedUpSchema = z.object({
  user_id: z.guid().toLowerCase(),
  locale: z.enum(LOCALES).default("vi"),
});
export type UserSignedUp = z.output<typeof userSignedUpSchema>;

/** The event of a signup: its type, what it is about, and its data. */
export const userSignedUp = ({ userId, locale }: { readonly userId: string; readonly locale: Locale }) => ({
  type: USER_SIGNED_UP,
  subject: userId,
  data: { user_id: userId, locale } satisfies UserSignedUp,
});
