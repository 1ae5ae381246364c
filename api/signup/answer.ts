import { z } from "zod";
import { isoTime } from "../../runtime/iso-time.ts";
import { LOCALES } from "../../stream/events/user-signed-up.ts";
import type { AcceptedSignup } from "./contract.ts";

/** Where an event's status is: a path, not an absolute URL. */
export const eventHref = (eventId: string): string => `/api/v1/events/${eventId}`;

/** The body of 201. */
export const signupAnswerSchema = z.object({
  id: z.uuid().meta({ description: "The user's id." }),
  user_name: z.string(),
  email: z.string().meta({ format: "email" }),
  locale: z.enum(LOCALES),
  created_at: z.iso.datetime(),
  email_verified: z.boolean().meta({ description: "Whether the address was confirmed by the link in a mail." }),
  welcome_email: z.object({
    event_id: z.uuid(),
    status: z.literal("queued"),
    href: z.string().meta({ description: "Path of the mail's status.", format: "uri-reference" }),
  }),
});

export type SignupAnswer = z.output<typeof signupAnswerSchema>;

export const toSignupAnswer = (signup: AcceptedSignup): SignupAnswer => ({
  id: signup.userId,
  user_name: signup.userName,
  email: signup.email,
  locale: signup.locale,
  created_at: isoTime(signup.createdAt),
  email_verified: signup.isVerified,
  welcome_email: { event_id: signup.eventId, status: "queued", href: eventHref(signup.eventId) },
});
