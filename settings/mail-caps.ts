import { type Setting, setting, wholeNumber } from "./values.ts";

/** How many mails one mailbox, and one domain, may get. */
export const MAIL_CAPS = {
  MAIL_CAP_PER_RECIPIENT: setting({
    schema: wholeNumber(0, 100_000),
    fallback: "30",
    example: "30",
    unit: "mails/h",
    about:
      "Maximum mails to one mailbox in any hour, of all mail groups together; `+tag`, and dots where the provider ignores them, make no other mailbox. What is above is held, reason `recipient_cap`, until there is room. 0: unlimited.",
  }),
  MAIL_CAP_PER_DOMAIN: setting({
    schema: wholeNumber(0, 100_000),
    fallback: "0",
    example: "5000",
    unit: "mails/h",
    about:
      "Maximum mails to one domain of recipients in any hour, of all mail groups together. What is above is held, reason `domain_cap`, until there is room. 0: unlimited; large providers are one domain.",
  }),
} satisfies Record<string, Setting<unknown>>;
