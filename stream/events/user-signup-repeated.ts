import { z } from "zod";
import { userSignedUpSchema } from "./user-signed-up.ts";

/**
 * Somebody signed up with the address of a user, and was not told so. `user_id` and `locale` are those of the user; they get
 * a notice, unless they had a mail about a signup within the hour.
 */
export const USER_SIGNUP_REPEATED = "user.signup_repeated.v1";

export const userSignupRepeatedSchema = userSignedUpSchema.extend({
  /** Whether the user is to be sent a notice. */
  notify: z.boolean().default(false),
});
